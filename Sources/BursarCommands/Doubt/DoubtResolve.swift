// `bursar doubt resolve ID charge --reason TEXT`

import ArgumentParser

struct DoubtResolve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resolve", abstract: "Decides what became of money in doubt.",
        discussion: """
            `charge` counts it as spent, `release` gives it back, `abandoned` does what the budget says of abandoned \
            reservations. What still comes is booked all the same: after a charge, a late commit counts only beyond what \
            was charged.
            """)

    @Argument(help: "The id, as `bursar doubt list` shows it.")
    var id: String

    @Argument(help: "charge, release or abandoned.")
    var resolution: String

    @Option(name: .long, help: "A part of it, in the budget's unit (default: all).")
    var amount: String?

    @Option(name: .long, help: "Why, for the audit.")
    var reason: String

    @OptionGroup var console: ConsoleOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        var fields = ["resolution": resolution, "reason": reason]
        fields["amount"] = amount
        let body = JSONValue.fields(fields)
        let path = "/api/v1/doubt/\(ConsoleClient.escape(id))/resolve"
        let answer = try await console.withClient { try await $0.send(.post, path, body) }
        output.done(
            answer,
            "resolved \(answer["resolved"]?.text ?? "") as \(resolution), still in doubt: \(answer["in_doubt"]?.text ?? "")"
        )
    }
}
