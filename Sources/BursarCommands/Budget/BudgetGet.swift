// `bursar budget get ACCOUNT BUDGET`

import ArgumentParser

struct BudgetGet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "get", abstract: "Shows one budget with its books.")

    @OptionGroup var name: BudgetName
    @OptionGroup var console: ConsoleOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        output.show(try await console.withClient { try await $0.get(name.path) })
    }
}
