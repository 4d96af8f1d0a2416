// `bursar budget put ACCOUNT BUDGET`

import ArgumentParser

struct BudgetPut: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "put", abstract: "Creates a budget, or gives it exactly these fields.", aliases: ["create"])

    @OptionGroup var name: BudgetName
    @OptionGroup var fields: BudgetFields
    @OptionGroup var change: ChangeOptions
    @OptionGroup var console: ConsoleOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let body = try JSONValue.body(file: change.file, fields.body)
        let answer = try await console.withClient {
            try await $0.send(.put, name.path, body, headers: change.headers)
        }
        output.done(answer, "budget \(name.text) is there")
    }
}
