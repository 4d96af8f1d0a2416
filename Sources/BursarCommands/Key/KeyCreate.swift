// `bursar key create ACCOUNT --name NAME --role ROLE`

import ArgumentParser

struct KeyCreate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Creates a key and shows it once.", aliases: ["put"])

    @Argument(help: "The account's id.")
    var account: String

    @Option(name: .long, help: "Name for people, one key of each name.")
    var name: String

    @Option(name: .long, help: "proxy, member, head, viewer or admin.")
    var role = "proxy"

    @Option(name: .long, help: "Account that a proxy key spends as when the request names none.")
    var defaultAccount: String?

    @Option(name: .long, help: "Who a member key speaks for.")
    var principal: String?

    @Option(name: .long, help: "When the key stops to work, RFC 3339.")
    var expiresAt: String?

    @OptionGroup var console: ConsoleOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let body = JSONValue.fields([
            "name": name, "role": role, "default_account": defaultAccount, "principal": principal,
            "expires_at": expiresAt,
        ])
        let answer = try await console.withClient { try await $0.send(.post, KeyCommand.path(account), body) }
        // Nothing but the key on standard output, so that it can go into a file.
        if output.json { return Terminal.line(answer.pretty) }
        Terminal.line(answer["key"]?.text ?? "")
        if !output.quiet { Terminal.error("key \(answer["id"]?.text ?? name) is shown this once") }
    }
}
