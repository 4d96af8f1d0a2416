// `bursar org get ID`

import ArgumentParser

struct OrganisationGet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "get", abstract: "Shows one organisation.")

    @Argument(help: "The organisation's id.")
    var id: String

    @OptionGroup var console: ConsoleOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        output.show(
            try await console.withClient { try await $0.get("\(OrganisationCommand.path)/\(ConsoleClient.escape(id))") }
        )
    }
}
