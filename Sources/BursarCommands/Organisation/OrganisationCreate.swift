// `bursar org create ID`

import ArgumentParser

struct OrganisationCreate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Creates an organisation: its books begin.", aliases: ["put"])

    @Argument(help: "The organisation's id; also its root account's.")
    var id: String

    @OptionGroup var fields: OrganisationFields
    @OptionGroup var console: ConsoleOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let answer = try await console.withClient {
            try await $0.send(.put, "\(OrganisationCommand.path)/\(ConsoleClient.escape(id))", fields.body)
        }
        output.done(answer, "organisation \(id) is there")
    }
}
