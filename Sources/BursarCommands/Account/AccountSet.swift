// `bursar account set ID`

import ArgumentParser

struct AccountSet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "set", abstract: "Changes the fields given.")

    @Argument(help: "The account's id.")
    var id: String

    @OptionGroup var fields: AccountFields
    @OptionGroup var change: ChangeOptions
    @OptionGroup var console: ConsoleOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let body = try JSONValue.body(file: change.file, fields.body())
        guard !body.members.isEmpty else { throw CommandError(.usage, "nothing to change was given") }
        let answer = try await console.withClient {
            try await $0.send(.patch, AccountCommand.path(id), body, headers: change.headers)
        }
        output.done(answer, "account \(id) is changed")
    }
}
