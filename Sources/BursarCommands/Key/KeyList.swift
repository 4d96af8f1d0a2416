// `bursar key list ACCOUNT`

import ArgumentParser

struct KeyList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "Lists the keys of an account.")

    @Argument(help: "The account's id.")
    var account: String

    @OptionGroup var console: ConsoleOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let rows = try await console.withClient { try await $0.list(KeyCommand.path(account)) }
        output.show(
            rows,
            columns: [
                .left("ID", "id"), .left("NAME", "name"), .left("ROLE", "role"), .left("PRINCIPAL", "principal"),
                .left("EXPIRES", "expires_at"), .left("REVOKED", "revoked_at"), .left("CREATED", "created_at"),
            ])
    }
}
