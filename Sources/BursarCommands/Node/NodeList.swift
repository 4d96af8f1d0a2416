// `bursar node list`

import ArgumentParser

struct NodeList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "Lists nodes and their sessions.")

    @OptionGroup var console: ConsoleOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let rows = try await console.withClient { try await $0.list("/api/v1/nodes") }
        output.show(
            rows,
            columns: [
                .left("NODE", "id"), .left("SESSION", "session"), .left("STATE", "state"),
                .left("ADVERTISE", "advertise"), .left("LAST SEEN", "last_seen_at"), .right("RULES", "rules_version"),
            ])
    }
}
