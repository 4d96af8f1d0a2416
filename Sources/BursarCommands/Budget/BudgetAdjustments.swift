// `bursar budget adjustments ACCOUNT BUDGET [--delete ID]`

import ArgumentParser

struct BudgetAdjustments: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "adjustments", abstract: "Lists a budget's adjustments, or takes one back.")

    @OptionGroup var name: BudgetName

    @Option(name: .long, help: "Take back the adjustment with this id.")
    var delete: String?

    @OptionGroup var console: ConsoleOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let path = "\(name.path)/adjustments"
        if let delete {
            let answer = try await console.withClient {
                try await $0.send(.delete, "\(path)/\(ConsoleClient.escape(delete))")
            }
            return output.done(answer, "adjustment \(delete) is taken back")
        }
        let rows = try await console.withClient { try await $0.list(path) }
        output.show(
            rows,
            columns: [
                .left("ID", "id"), .right("AMOUNT", "amount"), .left("EXPIRES", "expires"), .left("REASON", "reason"),
                .left("BY", "actor"), .left("AT", "created_at"),
            ])
    }
}
