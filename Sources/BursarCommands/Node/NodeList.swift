// `bursar node list`

import ArgumentParser

struct NodeList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "Lists nodes and their sessions.")

    @OptionGroup var console: ConsoleOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let rows = try await console.withClient { try await $0.list("/api/v1/nodes") }
        output.show(
            rows, id: "node",
            columns: [
                .left("NODE", "node"), .left("SESSION", "session"), .left("STATE", "state"),
                .left("ADVERTISE", "advertise"), .left("SEEN", "seen_at"), .right("RULES", "rules_version"),
                .right("LEASES", "leases"), .right("OPEN", "open_reservations"),
            ])
    }
}
