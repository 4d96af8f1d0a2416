// `bursar budget list [ACCOUNT]`

import ArgumentParser

struct BudgetList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Lists the budgets of an account, or of all.")

    @Argument(help: "The account's id; left out: every account.")
    var account: String?

    @OptionGroup var console: ConsoleOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let rows = try await console.withClient { client in
            var accounts = [account].compactMap { $0 }
            if accounts.isEmpty { accounts = try await client.list("/api/v1/accounts").compactMap { $0["id"]?.text } }
            var rows: [JSONValue] = []
            for account in accounts {
                rows += try await client.list(BudgetCommand.path(account))
            }
            return rows
        }
        output.show(
            rows, id: "budget",
            columns: [
                .left("ACCOUNT", "account"), .left("BUDGET", "budget"), .left("UNIT", "unit"),
                .left("EVERY", "period.every"),
                .left("PERIOD", "live.period.id"), .right("ALLOWANCE", "live.allowance"), .right("SPENT", "live.spent"),
                .right("REMAINING", "live.remaining"), .right("LEASED", "live.leased"),
                .right("IN DOUBT", "live.in_doubt"), .left("STATE", "live.state"),
            ])
    }
}
