// `bursar account delete ID`

import ArgumentParser

struct AccountDelete: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Archives an account: nothing is spent there any more.", aliases: ["archive"])

    @Argument(help: "The account's id.")
    var id: String

    @OptionGroup var console: ConsoleOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let answer = try await console.withClient { try await $0.send(.delete, AccountCommand.path(id)) }
        output.done(answer, "account \(id) is archived")
    }
}
