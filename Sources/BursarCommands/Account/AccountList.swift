// `bursar account list`

import ArgumentParser

struct AccountList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "Lists accounts.")

    @Option(name: .long, help: "Only those directly below this account.")
    var parent: String?

    @Flag(name: .long, help: "Archived ones, too.")
    var archived = false

    @OptionGroup var console: ConsoleOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let path = ConsoleClient.path("/api/v1/accounts", ["parent": parent, "archived": archived ? "true" : nil])
        let rows = try await console.withClient { try await $0.list(path) }
        output.show(
            rows,
            columns: [
                .left("ID", "id"), .left("PARENT", "parent"), .left("NAME", "name"), .left("KIND", "kind"),
                .left("BLOCKED", "block.reason"), .right("VERSION", "version"),
            ])
    }
}
