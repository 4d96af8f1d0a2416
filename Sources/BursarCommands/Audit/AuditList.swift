// `bursar audit list`

import ArgumentParser

struct AuditList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "Lists changes, the newest first.")

    @Option(name: .long, help: "At most so many.")
    var limit = 50

    @Option(name: .long, help: "Only of this account.")
    var account: String?

    @Option(name: .long, help: "Only by this one.")
    var actor: String?

    @Option(name: .long, help: "Only of this kind, such as budget.put.")
    var kind: String?

    @OptionGroup var console: ConsoleOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if limit < 1 { throw ValidationError("--limit is at least 1.") }
    }

    func run() async throws {
        let path = ConsoleClient.path("/api/v1/audit", ["account": account, "actor": actor, "kind": kind])
        let rows = try await console.withClient { try await $0.list(path, limit: limit) }
        output.show(
            rows, id: "version",
            columns: [
                .right("VERSION", "version"), .left("TIME", "time"), .left("KIND", "kind"), .left("ACTOR", "actor"),
                .left("ACCOUNT", "account"), .left("BUDGET", "budget"), .left("REASON", "reason"),
            ])
    }
}
