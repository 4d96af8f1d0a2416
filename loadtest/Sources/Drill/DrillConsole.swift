// The changes that a drill makes, through the console as an admin would.

import NIOHTTP1

/// A console that may change rules.
struct DrillConsole: Sendable {
    /// The budget of an account that a drill has made.
    static let budget = "drill"
    private static let reason = "\"reason\":\"drill\""

    let client: ConsoleClient

    func block(_ account: String) async throws {
        try await client.change(.PUT, "/api/v1/accounts/\(account)/block", body: "{\(Self.reason)}")
    }

    func unblock(_ account: String) async throws {
        try await client.change(.DELETE, "/api/v1/accounts/\(account)/block")
    }

    /// Makes an account below `parent` with one budget of so many tokens a year.
    func make(_ account: String, below parent: String, tokens: Int) async throws {
        let path = "/api/v1/accounts/\(account)"
        try await client.change(.PUT, path, body: "{\"name\":\"Drill\",\"parent\":\"\(parent)\"}")
        let rule = "{\"unit\":\"tokens\",\"amount\":\(tokens),\"period\":{\"every\":\"year\"}}"
        try await client.change(.PUT, "\(path)/budgets/\(Self.budget)", body: rule)
    }

    func raise(_ account: String, tokens: Int) async throws {
        try await client.change(
            .POST, "/api/v1/accounts/\(account)/budgets/\(Self.budget)/adjustments",
            body: "{\"amount\":\"+\(tokens)\",\(Self.reason)}")
    }

    func remove(_ account: String) async throws {
        try await client.change(.DELETE, "/api/v1/accounts/\(account)")
    }

    /// Whether nothing is left of the account's budget, in the books and in the hands of the nodes.
    func isUsedUp(_ account: String) async throws -> Bool {
        let budgets = try await client.budgets(of: account)
        return !budgets.isEmpty && budgets.allSatisfy { $0.available <= 0 && $0.leased == 0 }
    }
}
