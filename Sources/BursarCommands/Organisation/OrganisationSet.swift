// `bursar org set ID`

import ArgumentParser

struct OrganisationSet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "set", abstract: "Changes the fields given.")

    @Argument(help: "The organisation's id.")
    var id: String

    @OptionGroup var fields: OrganisationFields
    @OptionGroup var console: ConsoleOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if fields.body.members.isEmpty { throw ValidationError("Nothing to change was given.") }
    }

    func run() async throws {
        let answer = try await console.withClient {
            try await $0.send(.patch, "\(OrganisationCommand.path)/\(ConsoleClient.escape(id))", fields.body)
        }
        output.done(answer, "organisation \(id) is changed")
    }
}
