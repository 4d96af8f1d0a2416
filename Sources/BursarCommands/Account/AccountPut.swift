// `bursar account put ID`

import ArgumentParser

struct AccountPut: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "put", abstract: "Creates an account, or gives it exactly these fields.", aliases: ["create"])

    @Argument(help: "The account's id.")
    var id: String

    @OptionGroup var fields: AccountFields
    @OptionGroup var change: ChangeOptions
    @OptionGroup var console: ConsoleOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let body = try JSONValue.body(file: change.file, fields.body())
        let answer = try await console.withClient {
            try await $0.send(.put, AccountCommand.path(id), body, headers: change.headers)
        }
        output.done(answer, "account \(id) is there")
    }
}
