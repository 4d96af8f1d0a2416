// `bursar key rotate ACCOUNT KEY`

import ArgumentParser

struct KeyRotate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate", abstract: "Gives a key a new secret and shows it once.")

    @Argument(help: "The account's id.")
    var account: String

    @Argument(help: "The key's id.")
    var key: String

    @OptionGroup var console: ConsoleOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let answer = try await console.withClient {
            try await $0.send(.post, "\(KeyCommand.path(account, key))/rotate")
        }
        if output.json { return Terminal.line(answer.pretty) }
        Terminal.line(answer["key"]?.text ?? "")
        if !output.quiet { Terminal.error("key \(answer["id"]?.text ?? key) is shown this once") }
    }
}
