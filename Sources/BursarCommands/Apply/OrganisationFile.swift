// The file of `bursar apply`: an organisation as it should be. Everything that can be judged without a server is judged
// here, all problems at once and each with its place.

import Foundation
import Ledger
import QuotaCore

/// A checked file.
struct OrganisationFile: Sendable {
    struct Account: Sendable {
        var id: String
        var place: FilePlace
        /// The body of PUT.
        var body: PlacedValue
        var budgets: [Budget]
        var keys: [Key]
        /// An account without `keys` has its keys from elsewhere.
        var hasKeys: Bool
        /// Nil: directly below the root, or as it is.
        var parent: String? { body.json["parent"]?.string }
    }

    struct Budget: Sendable {
        var id: String
        var place: FilePlace
        var body: PlacedValue
    }

    struct Key: Sendable {
        var name: String
        var place: FilePlace
        var body: PlacedValue
    }

    /// As shown in problems.
    let name: String
    /// Nil: the file is about the organisation of the key, or the default one.
    private(set) var organisationID: String?
    private(set) var organisation: PlacedValue?
    /// Nil: the file says nothing about accounts.
    private(set) var accounts: [Account]?
    private(set) var prices: PlacedValue?
    private(set) var aliases: PlacedValue?
    /// Parts that belong to gateways and were passed over.
    private(set) var skipped: [String] = []

    private var problems: [String] = []

    /// - Throws: `.usage` with a line a problem: `org.yaml:12:7: ...`.
    init(_ root: PlacedValue, name: String) throws(CommandError) {
        self.name = name
        if case .map(let entries) = root.content {
            for entry in entries { read(entry) }
            if entries.isEmpty { problem(root.place, "the file is empty") }
        } else {
            problem(root.place, "the file must be a mapping with organisation, accounts, prices or aliases")
        }
        checkPrices()
        checkTree()
        guard problems.isEmpty else { throw CommandError(.usage, problems.joined(separator: "\n")) }
    }

    private mutating func problem(_ place: FilePlace, _ text: String) { problems.append("\(name):\(place): \(text)") }

    private mutating func read(_ entry: PlacedValue.Entry) {
        switch (entry.key, entry.value.content) {
        case ("organisation", .map(let fields)): readOrganisation(entry, fields)
        case ("accounts", .list(let items)):
            accounts = []
            for item in items { readAccount(item) }
        case ("prices", .list): prices = entry.value
        case ("aliases", .map): aliases = entry.value
        case ("providers", _), ("models", _): skipped.append(entry.key)
        case ("organisation", _), ("aliases", _): problem(entry.place, "\(entry.key) must be a mapping")
        case ("accounts", _), ("prices", _): problem(entry.place, "\(entry.key) must be a list")
        default: problem(entry.place, "'\(entry.key)' is not known here")
        }
    }

    private mutating func readOrganisation(_ entry: PlacedValue.Entry, _ fields: [PlacedValue.Entry]) {
        guard let id = identifier(entry.value, at: entry.place) else { return }
        organisationID = id
        organisation = PlacedValue(place: entry.value.place, content: .map(fields.filter { $0.key != "id" }))
        judge(entry.value) { try BodyCheck.organisation($0) }
    }

    private mutating func identifier(_ value: PlacedValue, at place: FilePlace) -> String? {
        guard let entry = value.entry("id"), let id = entry.value.json.identifierText else {
            problem(place, "id is missing")
            return nil
        }
        guard Identifier.isValid(id) else {
            problem(entry.place, "id '\(id)' is not [a-z0-9][a-z0-9._-]{0,62}")
            return nil
        }
        return id
    }

    private mutating func readAccount(_ item: PlacedValue) {
        guard case .map(let fields) = item.content else { return problem(item.place, "an account must be a mapping") }
        guard let id = identifier(item, at: item.place) else { return }
        if let other = accounts?.first(where: { $0.id == id }) {
            problem(item.place, "account '\(id)' stands there twice, first at \(other.place)")
        }
        let body = PlacedValue(
            place: item.place, content: .map(fields.filter { !["id", "budgets", "keys"].contains($0.key) }))
        judge(body) { try BodyCheck.account($0) }
        let keys = item.entry("keys")
        let account = Account(
            id: id, place: item.place, body: body, budgets: readBudgets(item.entry("budgets")), keys: readKeys(keys),
            hasKeys: keys != nil)
        accounts?.append(account)
    }

    private mutating func readBudgets(_ entry: PlacedValue.Entry?) -> [Budget] {
        guard let entry else { return [] }
        guard case .map(let entries) = entry.value.content else {
            if case .scalar(.null) = entry.value.content { return [] }
            problem(entry.place, "budgets must be a mapping of ids to budgets")
            return []
        }
        return entries.map { budget in
            if !Identifier.isValid(budget.key) {
                problem(budget.place, "id '\(budget.key)' is not [a-z0-9][a-z0-9._-]{0,62}")
            }
            judge(budget.value) { try BodyCheck.budget($0) }
            return Budget(id: budget.key, place: budget.place, body: budget.value)
        }
    }

    private mutating func readKeys(_ entry: PlacedValue.Entry?) -> [Key] {
        guard let entry else { return [] }
        guard case .list(let items) = entry.value.content else {
            if case .scalar(.null) = entry.value.content { return [] }
            problem(entry.place, "keys must be a list")
            return []
        }
        var names: Set<String> = []
        return items.compactMap { item in
            judge(item) { try BodyCheck.key($0) }
            guard let name = item.json["name"]?.text else {
                problem(item.place, "name is missing: keys are matched by it")
                return nil
            }
            if !names.insert(name).inserted { problem(item.place, "key '\(name)' stands there twice") }
            return Key(name: name, place: item.place, body: item)
        }
    }

    private mutating func judge(_ value: PlacedValue, _ check: (JSONValue) throws -> [BodyCheck.Problem]) {
        let found: [BodyCheck.Problem]
        do {
            found = try check(value.json)
        } catch {
            found = [BodyCheck.problem(error)]
        }
        for item in found {
            let field = item.pointer.split(separator: "/").joined(separator: ".")
            problem(value.place(of: item.pointer), "\(field.isEmpty ? "the value" : field) \(item.detail)")
        }
    }

    private mutating func checkPrices() {
        guard prices != nil || aliases != nil else { return }
        var entries: [PlacedValue.Entry] = []
        for case (let key, let value?) in [("prices", prices), ("aliases", aliases)] {
            entries.append(PlacedValue.Entry(key: key, place: value.place, value: value))
        }
        let place = entries.first?.place ?? FilePlace(line: 1, column: 1)
        judge(PlacedValue(place: place, content: .map(entries))) { try BodyCheck.prices($0) }
    }

    /// Parents that the file itself names must not go round in a circle; others are for the server to know.
    private mutating func checkTree() {
        let parents = Dictionary((accounts ?? []).map { ($0.id, $0.parent) }) { first, _ in first }
        for account in accounts ?? [] {
            var seen: Set<String> = [account.id]
            var next = account.parent
            while let id = next {
                if id == account.id { problem(account.place, "account '\(account.id)' is below itself") }
                guard seen.insert(id).inserted else { break }
                next = parents[id] ?? nil
            }
        }
    }

    /// Parents before children.
    var accountsInOrder: [Account] {
        var rest = accounts ?? []
        var known: Set<String> = []
        var ordered: [Account] = []
        let inFile = Set(rest.map(\.id))
        while !rest.isEmpty {
            let ready = rest.filter { account in
                account.parent.map { known.contains($0) || !inFile.contains($0) } ?? true
            }
            // A circle has been refused before.
            if ready.isEmpty { return ordered + rest }
            ordered += ready
            known.formUnion(ready.map(\.id))
            rest.removeAll { account in ready.contains { $0.id == account.id } }
        }
        return ordered
    }
}
