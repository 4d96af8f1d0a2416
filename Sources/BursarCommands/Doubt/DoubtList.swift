// `bursar doubt list`

import ArgumentParser

struct DoubtList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Lists what is in doubt, by budget and session.",
        discussion: """
            RESOLVABLE is what of it nothing else settles: not holds that end by their budget's rule, nor commits that \
            wait to be booked.
            """)

    @Option(name: .long, help: "Only of this account's budgets.")
    var account: String?

    @OptionGroup var console: ConsoleOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let path = ConsoleClient.path("/api/v1/doubt", ["account": account])
        let rows = try await console.withClient { try await $0.list(path) }
        output.show(
            rows,
            columns: [
                .left("ACCOUNT", "account"), .left("BUDGET", "budget"), .left("PERIOD", "period.id"),
                .left("NODE", "node"), .left("SEEN", "seen_at"), .right("IN DOUBT", "in_doubt"),
                .right("RESOLVABLE", "resolvable"), .left("UNIT", "unit"), .left("ID", "id"),
            ])
    }
}
