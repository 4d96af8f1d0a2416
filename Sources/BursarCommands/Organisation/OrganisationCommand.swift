// `bursar org`: the tenants of a console. Only the bootstrap token sees them.

import ArgumentParser

struct OrganisationCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "org", abstract: "Organisations (bootstrap token only).",
        subcommands: [
            OrganisationList.self, OrganisationGet.self, OrganisationCreate.self, OrganisationSet.self,
        ])

    static let path = "/api/v1/organisations"
}

/// What can be said about an organisation.
struct OrganisationFields: ParsableArguments {
    @Option(name: .long, help: "Name for people.")
    var name: String?

    @Option(name: .long, help: "Time zone of budgets that name none, such as Europe/Berlin.")
    var timezone: String?

    @Option(name: .long, help: "relaxed, replica, replica:N or disk: when grants and blocks count.")
    var durability: String?

    @Option(name: .long, help: "deny, max or free: requests for models without a price.")
    var unpriced: String?

    var body: JSONValue {
        .fields(["name": name, "timezone": timezone, "durability": durability, "unpriced": unpriced])
    }
}
