// `bursar block set ACCOUNT --reason TEXT`

import ArgumentParser

struct BlockSet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "set", abstract: "Blocks an account.")

    @Argument(help: "The account's id.")
    var account: String

    @Option(name: .long, help: "Why; shown in refusals and the audit.")
    var reason = "blocked by an administrator"

    @OptionGroup var console: ConsoleOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let answer = try await console.withClient {
            try await $0.send(.put, BlockCommand.path(account), .fields(["reason": reason]))
        }
        output.done(answer, "account \(account) is blocked")
    }
}
