// `bursar prices get`

import ArgumentParser

struct PricesGet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "get", abstract: "Shows the price book.", aliases: ["list"])

    @OptionGroup var console: ConsoleOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let book = try await console.withClient { try await $0.get(PricesCommand.path) }
        if output.json { return Terminal.line(book.pretty) }
        output.show(
            book["prices"]?.items ?? [], id: "model",
            columns: [
                .left("MODEL", "model"), .left("FROM", "from"), .right("INPUT", "input"),
                .right("CACHE READ", "cache_read"), .right("OUTPUT", "output"),
                .right("MAX OUTPUT", "max_output_tokens"),
            ])
        guard !output.quiet else { return }
        for (alias, model) in (book["aliases"]?.members ?? [:]).sorted(by: { $0.key < $1.key }) {
            Terminal.line("\(alias) = \(model.text)")
        }
    }
}
