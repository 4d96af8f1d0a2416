// `bursar org list`

import ArgumentParser

struct OrganisationList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "Lists organisations.")

    @OptionGroup var console: ConsoleOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let rows = try await console.withClient { try await $0.list(OrganisationCommand.path) }
        output.show(
            rows,
            columns: [
                .left("ID", "id"), .left("NAME", "name"), .left("TIMEZONE", "timezone"),
                .left("DURABILITY", "durability"), .left("UNPRICED", "unpriced"),
            ])
    }
}
