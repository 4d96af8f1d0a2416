// `bursar account`: the tree of departments, teams, projects, people and applications.

import ArgumentParser
import Foundation

struct AccountCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "account", abstract: "Accounts: the organisation's tree.",
        subcommands: [AccountList.self, AccountGet.self, AccountPut.self, AccountSet.self, AccountDelete.self])

    static func path(_ id: String) -> String { "/api/v1/accounts/\(ConsoleClient.escape(id))" }
}

/// What can be said about an account.
struct AccountFields: ParsableArguments {
    @Option(name: .long, help: "Name for people.")
    var name: String?

    @Option(name: .long, help: "The account above.")
    var parent: String?

    @Option(name: .long, help: "department, team, project, person, application ...")
    var kind: String?

    @Option(name: .long, help: "Cost centre, for finance.")
    var costCentre: String?

    @Option(name: .long, help: "Who decides: 'Name <mail@example.com>'; repeat for more.")
    var head: [String] = []

    @Option(name: .long, help: "KEY=VALUE; repeat for more.")
    var label: [String] = []

    @Option(name: .long, help: "Model or pattern that may be used; repeat for more.")
    var allowModel: [String] = []

    func body() throws -> JSONValue {
        var members = JSONValue.fields(["name": name, "parent": parent, "kind": kind, "cost_centre": costCentre])
            .members
        if !head.isEmpty { members["heads"] = .array(try head.map(Self.head)) }
        if !label.isEmpty { members["labels"] = .object(try Self.labels(label)) }
        if !allowModel.isEmpty { members["models"] = .object(["allow": .array(allowModel.map { .string($0) })]) }
        return .object(members)
    }

    private static func head(_ text: String) throws -> JSONValue {
        if let match = text.wholeMatch(of: /\s*(.*?)\s*<([^<>\s]+)>\s*/) {
            return .object(["name": .string(String(match.1)), "email": .string(String(match.2))])
        }
        guard text.contains("@"), !text.contains(" ") else {
            throw CommandError(.usage, "--head: '\(text)' is not 'Name <mail@example.com>'")
        }
        return .object(["name": .string(text), "email": .string(text)])
    }

    private static func labels(_ texts: [String]) throws -> [String: JSONValue] {
        var labels: [String: JSONValue] = [:]
        for text in texts {
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty else {
                throw CommandError(.usage, "--label: '\(text)' is not KEY=VALUE")
            }
            labels[String(parts[0])] = .string(String(parts[1]))
        }
        return labels
    }
}
