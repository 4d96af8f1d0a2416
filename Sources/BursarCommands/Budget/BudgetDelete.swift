// `bursar budget delete ACCOUNT BUDGET`

import ArgumentParser

struct BudgetDelete: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Deletes a budget; its statements stay.")

    @OptionGroup var name: BudgetName
    @OptionGroup var console: ConsoleOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let answer = try await console.withClient { try await $0.send(.delete, name.path) }
        output.done(answer, "budget \(name.text) is deleted")
    }
}
