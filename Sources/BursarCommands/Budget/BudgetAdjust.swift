// `bursar budget adjust ACCOUNT BUDGET +250`

import ArgumentParser

struct BudgetAdjust: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "adjust", abstract: "Adds to a budget's allowance, or takes from it.",
        discussion: "A lower amount is written after --: bursar budget adjust search monthly-usd -- -100")

    @OptionGroup var name: BudgetName

    @Argument(help: "+250 or -250.")
    var amount: String

    @Option(name: .long, help: "Why, for the audit.")
    var reason: String

    @Option(name: .long, help: "period_end, a time, or never.")
    var expires = "period_end"

    @OptionGroup var console: ConsoleOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let signed = amount.first == "+" || amount.first == "-" ? amount : "+\(amount)"
        let body = JSONValue.object([
            "amount": .string(signed), "reason": .string(reason),
            "expires": expires == "never" ? .null : .string(expires),
        ])
        let answer = try await console.withClient { try await $0.send(.post, "\(name.path)/adjustments", body) }
        output.done(answer, "budget \(name.text) is adjusted by \(signed) (\(answer["id"]?.text ?? ""))")
    }
}
