// `bursar key delete ACCOUNT KEY`

import ArgumentParser

struct KeyDelete: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Revokes a key, on every gateway at once.", aliases: ["revoke"])

    @Argument(help: "The account's id.")
    var account: String

    @Argument(help: "The key's id.")
    var key: String

    @OptionGroup var console: ConsoleOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let answer = try await console.withClient { try await $0.send(.delete, KeyCommand.path(account, key)) }
        output.done(answer, "key \(key) is revoked")
    }
}
