// `bursar account list`

import ArgumentParser

struct AccountList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "Lists accounts.")

    @OptionGroup var console: ConsoleOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let rows = try await console.withClient { try await $0.list("/api/v1/accounts") }
        output.show(
            rows,
            columns: [
                .left("ID", "id"), .left("PARENT", "parent"), .left("NAME", "name"), .left("KIND", "kind"),
                .left("STATE", "state"), .right("VERSION", "version"),
            ])
    }
}
