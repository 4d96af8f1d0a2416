// `bursar budget set ACCOUNT BUDGET`

import ArgumentParser

struct BudgetSet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "set", abstract: "Changes the fields given.")

    @OptionGroup var name: BudgetName
    @OptionGroup var fields: BudgetFields
    @OptionGroup var change: ChangeOptions
    @OptionGroup var console: ConsoleOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let body = try JSONValue.body(file: change.file, fields.body)
        guard !body.members.isEmpty else { throw CommandError(.usage, "nothing to change was given") }
        let answer = try await console.withClient {
            try await $0.send(.patch, name.path, body, headers: change.headers)
        }
        output.done(answer, "budget \(name.text) is changed")
    }
}
