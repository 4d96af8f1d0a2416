// Reading the rules of an account's path, and the news that tell what to read anew.

import RedisClient

extension LedgerScript {
    static let resolve = assemble("resolve", PackageResources.resolve_lua)
    static let newsRead = assemble("news_read", PackageResources.news_read_lua)
}

/// A budget as the ledger holds it, for nodes.
package struct ResolvedBudget: Sendable, Hashable {
    package var name: String
    package var generation: String
    package var unit: String
    package var mode: String
    package var steps: String
    package var every: String
    package var periods: String
    package var abandoned: String
    package var outage: String
    package var version: Int64
    package var record: String
}

/// An account on the path to the root.
package struct ResolvedAccount: Sendable, Hashable {
    package var id: String
    package var archived: Bool
    /// JSON of the block, empty when there is none.
    package var block: String
    package var record: String
    package var budgets: [ResolvedBudget]
}

/// The rules of an account and all above it at one version.
package struct ResolvedPath: Sendable, Hashable {
    package var version: Int64
    package var history: String
    /// Ledger time, ms.
    package var now: Int64
    /// From the account to the root; empty when it does not exist.
    package var accounts: [ResolvedAccount]
}

/// One entry of the organisation's stream, as far as a node needs it.
package struct News: Sendable, Hashable {
    package var version: Int64
    package var kind: String
    package var account: String
    package var budget: String
    package var generation: String
    package var key: String
    package var change: String
    package var actor: String
    package var reason: String
    /// The record made, for blocks and revoked keys only.
    package var after: String
}

package struct NewsPage: Sendable, Hashable {
    package var version: Int64
    package var history: String
    package var now: Int64
    /// False when something between may be missing: everything must be looked up anew.
    package var complete: Bool
    package var news: [News]
}

extension Ledger {
    package func resolve(account: String, organisation: String) async throws(LedgerError) -> ResolvedPath {
        let reply = try await run(LedgerScript.resolve, organisation: organisation, [account])
        guard let list = reply.array, list.count == 4, let version = list[0].int, let history = list[1].string,
            let now = list[2].int, let path = list[3].array
        else { throw LedgerError.unexpected("resolve", reply) }
        var accounts: [ResolvedAccount] = []
        for item in path {
            guard let fields = item.array, fields.count == 5, let budgets = fields[4].array else {
                throw LedgerError.unexpected("resolve", reply)
            }
            let text = fields.prefix(4).map { $0.string ?? "" }
            accounts.append(
                ResolvedAccount(
                    id: text[0], archived: text[1] == "1", block: text[2], record: text[3],
                    budgets: budgets.compactMap { Self.budget($0.array ?? []) }))
        }
        return ResolvedPath(version: version, history: history, now: now, accounts: accounts)
    }

    private static func budget(_ fields: [RESPValue]) -> ResolvedBudget? {
        guard fields.count == 11 else { return nil }
        let text = fields.map { $0.string ?? "" }
        return ResolvedBudget(
            name: text[0], generation: text[1], unit: text[2], mode: text[3], steps: text[4], every: text[5],
            periods: text[6], abandoned: text[7], outage: text[8], version: Int64(text[9]) ?? 0, record: text[10])
    }

    /// The events after a version, at most `limit`.
    package func news(after version: Int64, limit: Int = 500, organisation: String) async throws(LedgerError)
        -> NewsPage
    {
        let reply = try await run(LedgerScript.newsRead, organisation: organisation, [String(version), String(limit)])
        guard let list = reply.array, list.count == 5, let newest = list[0].int, let history = list[1].string,
            let now = list[2].int, let entries = list[4].array
        else { throw LedgerError.unexpected("news_read", reply) }
        return NewsPage(
            version: newest, history: history, now: now, complete: list[3].string == "1",
            news: entries.compactMap { entry in
                guard let fields = entry.array, fields.count == 10, let version = fields[0].int else { return nil }
                let text = fields.map { $0.string ?? "" }
                return News(
                    version: version, kind: text[1], account: text[2], budget: text[3], generation: text[4],
                    key: text[5], change: text[6], actor: text[7], reason: text[8], after: text[9])
            })
    }
}
