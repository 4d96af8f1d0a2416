// `bursar audit list`

import ArgumentParser

struct AuditList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "Lists changes.")

    @Option(name: .long, help: "At most so many.")
    var limit = 50

    @OptionGroup var console: ConsoleOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if limit < 1 { throw ValidationError("--limit is at least 1.") }
    }

    func run() async throws {
        let rows = try await console.withClient { try await $0.list("/api/v1/audit", limit: limit) }
        output.show(
            rows,
            columns: [
                .left("AT", "at"), .left("ACTOR", "actor"), .left("ACTION", "action"), .left("SUBJECT", "subject"),
                .left("REASON", "reason"),
            ])
    }
}
