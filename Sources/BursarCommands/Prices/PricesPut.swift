// `bursar prices put -f FILE`

import ArgumentParser

struct PricesPut: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "put", abstract: "Replaces the price book by a file's `prices` and `aliases`.")

    @OptionGroup var change: ChangeOptions
    @OptionGroup var console: ConsoleOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        guard let file = change.file else { throw CommandError(.usage, "--file is missing") }
        let value = try PlacedValue(file: file)
        let members = value.json.members.filter { ["prices", "aliases"].contains($0.key) }
        guard members["prices"] != nil else { throw CommandError(.usage, "\(file): 'prices' is missing") }
        do {
            let answer = try await console.withClient {
                try await $0.send(.put, PricesCommand.path, .object(members), headers: change.headers)
            }
            output.done(answer, id: "version", "the price book is replaced")
        } catch let error as CommandError {
            throw error.placed(in: value, name: file)
        }
    }
}
