// `bursar block delete ACCOUNT`

import ArgumentParser

struct BlockDelete: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Lifts an account's block.", aliases: ["lift", "remove"])

    @Argument(help: "The account's id.")
    var account: String

    @OptionGroup var console: ConsoleOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let answer = try await console.withClient { try await $0.send(.delete, BlockCommand.path(account)) }
        output.done(answer, "account \(account) is not blocked any more")
    }
}
