// `bursar budget`: what accounts may spend, and what they have spent.

import ArgumentParser
import Foundation

struct BudgetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "budget", abstract: "Budgets with their live books.",
        subcommands: [
            BudgetList.self, BudgetGet.self, BudgetPut.self, BudgetSet.self, BudgetDelete.self, BudgetAdjust.self,
            BudgetAdjustments.self, BudgetPeriods.self,
        ])

    static func path(_ account: String) -> String { "\(AccountCommand.path(account))/budgets" }

    static func path(_ account: String, _ budget: String) -> String {
        "\(path(account))/\(ConsoleClient.escape(budget))"
    }
}

/// Names one budget.
struct BudgetName: ParsableArguments {
    @Argument(help: "The account's id.")
    var account: String

    @Argument(help: "The budget's id.")
    var budget: String

    var path: String { BudgetCommand.path(account, budget) }
    var text: String { "\(account)/\(budget)" }
}

/// What can be said about a budget in a line; ladders and the like come from a file.
struct BudgetFields: ParsableArguments {
    @Option(name: .long, help: "usd, tokens or requests.")
    var unit: String?

    @Option(name: .long, help: "The amount for one period.")
    var amount: String?

    @Option(name: .long, help: "minute, hour, day, week, month, quarter or year.")
    var every: String?

    @Option(name: .long, help: "Time zone of the period, such as America/New_York.")
    var timezone: String?

    @Option(name: .long, help: "enforce or shadow.")
    var mode: String?

    @Option(name: .long, help: "What becomes of holds that nobody settles: charge or release.")
    var abandoned: String?

    @Option(name: .long, help: "The most that is carried over into the next period.")
    var rollover: String?

    var body: JSONValue {
        var members = JSONValue.fields(["unit": unit, "amount": amount, "mode": mode, "abandoned": abandoned]).members
        let period = JSONValue.fields(["every": every, "timezone": timezone])
        if !period.members.isEmpty { members["period"] = period }
        if let rollover { members["rollover"] = .fields(["max": rollover]) }
        return .object(members)
    }
}
