// `bursar budget periods ACCOUNT BUDGET [PERIOD]`

import ArgumentParser

struct BudgetPeriods: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "periods", abstract: "Lists a budget's periods, or shows the statement of one.")

    @OptionGroup var name: BudgetName

    @Argument(help: "The period's id, such as 2026-11.")
    var period: String?

    @OptionGroup var console: ConsoleOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let path = "\(name.path)/periods"
        if let period {
            return output.show(
                try await console.withClient { try await $0.get("\(path)/\(ConsoleClient.escape(period))") })
        }
        let rows = try await console.withClient { try await $0.list(path) }
        output.show(
            rows, id: "period.id",
            columns: [
                .left("PERIOD", "period.id"), .left("START", "period.start"), .left("END", "period.end"),
                .right("ALLOWANCE", "allowance"),
                .right("SPENT", "spent"), .right("REMAINING", "remaining"), .right("ROLLED OVER", "rolled_over"),
                .right("LATE", "late"), .left("STATE", "state"),
            ])
    }
}
