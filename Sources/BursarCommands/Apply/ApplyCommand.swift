// `bursar apply -f org.yaml`: makes an organisation as a file describes it.

import ArgumentParser

struct ApplyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apply", abstract: "Makes an organisation as a YAML file describes it.",
        discussion: """
            Shows the plan like a diff and carries it out; a second run changes nothing. Fields that the file leaves out \
            stay as they are. Nothing is deleted without --prune: then accounts and budgets that the file does not name \
            go, and keys of accounts that list their keys. The secret of a new key is shown once.
            """)

    @Option(
        name: .shortAndLong, help: "The file, - for standard input.", completion: .file(extensions: ["yaml", "yml"]))
    var file: String

    @Flag(name: .long, help: "Show the plan only.")
    var dryRun = false

    @Flag(name: .long, help: "Delete what the file does not name.")
    var prune = false

    @OptionGroup var console: ConsoleOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let name = file == "-" ? "standard input" : file
        let wanted = try OrganisationFile(try PlacedValue(file: file), name: name)
        if !wanted.skipped.isEmpty {
            Terminal.error("\(wanted.skipped.joined(separator: " and ")): for gateways, passed over here")
        }
        var console = console
        // The bootstrap token has to say which organisation it means.
        if let id = wanted.organisationID {
            guard console.access.organisation ?? id == id else {
                throw CommandError(.usage, "--organisation names another organisation than \(name)")
            }
            console.access.organisation = id
        }
        try await console.withClient { client in
            let state = try await CurrentState.read(client, for: wanted)
            let plan = try Planner(file: wanted, state: state, prune: prune).plan()
            try await show(plan, client, name: name)
        }
    }

    private func show(_ plan: Plan, _ client: ConsoleClient, name: String) async throws {
        if !output.json && !output.quiet { Terminal.line(plan.text(coloured: Terminal.hasColour)) }
        var keys: [IssuedKey] = []
        var failure: CommandError?
        if !dryRun {
            do {
                try await PlanRunner(client: client, name: name).run(plan) { step, key in
                    if let key {
                        keys.append(key)
                        // At once: a later step may fail, and the secret can't be had again.
                        if !output.json && !output.quiet {
                            Terminal.line("key \(key.account)/\(key.name) (\(key.role)): \(key.secret)")
                        }
                    }
                    if output.quiet { Terminal.line(step.name) }
                }
            } catch {
                failure = error
            }
        }
        if output.json {
            let report: [String: JSONValue] = [
                "plan": plan.json, "applied": .bool(!dryRun && failure == nil), "keys": .array(keys.map(\.json)),
            ]
            Terminal.line(JSONValue.object(report).pretty)
        }
        if let failure { throw failure }
        if !dryRun && !plan.isEmpty && !output.json && !output.quiet { Terminal.line("Applied.") }
    }
}
