// `bursar account get ID`

import ArgumentParser

struct AccountGet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "get", abstract: "Shows one account.")

    @Argument(help: "The account's id.")
    var id: String

    @OptionGroup var console: ConsoleOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        output.show(try await console.withClient { try await $0.get(AccountCommand.path(id)) })
    }
}
