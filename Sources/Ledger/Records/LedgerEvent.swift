// One entry of the stream of events: what changed in the books, by whom and why.

import RedisClient

/// An event or an audit entry.
package struct LedgerEvent: Sendable, Hashable, Codable, RecordFields {
    /// The version of the books that it made; later events have higher ones.
    package var version: Int64
    /// What happened, a noun and a verb: `budget.changed`.
    package var kind: String
    package var timeMilliseconds: Int64
    package var actor: String?
    /// The id under which the change was asked for, the same when it is repeated.
    package var change: String?
    /// What was changed, as the path of the console names it.
    package var target: String?
    package var account: String?
    package var budget: String?
    package var generation: String?
    package var before: String?
    package var after: String?
    package var reason: String?
    /// Everything else that the entry says.
    package var fields: [String: String]

    package enum CodingKeys: String, CodingKey, CaseIterable, Sendable {
        case version, kind
        case timeMilliseconds = "time_ms"
        case actor, change, target, account, budget, generation, before, after, reason, fields
    }

    /// Reads an entry of the stream.
    ///
    /// - Parameter id: `VERSION-0`.
    /// - Returns: nil when the entry is none of the ledger's.
    package init?(id: String, fields: [(String, String)]) {
        let parts = id.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[1] == "0", let version = Int64(parts[0]), version > 0 else { return nil }
        var rest: [String: String] = [:]
        for (name, value) in fields { rest[name] = value }
        /// Empty texts stand for what an entry does not have.
        func take(_ key: CodingKeys) -> String? {
            guard let value = rest.removeValue(forKey: key.rawValue), !value.isEmpty else { return nil }
            return value
        }
        guard let kind = take(.kind), let time = take(.timeMilliseconds).flatMap({ Int64($0) }) else { return nil }
        self.version = version
        self.kind = kind
        timeMilliseconds = time
        actor = take(.actor)
        change = take(.change)
        target = take(.target)
        account = take(.account)
        budget = take(.budget)
        generation = take(.generation)
        before = take(.before)
        after = take(.after)
        reason = take(.reason)
        self.fields = rest
    }

    /// Reads an entry as `XRANGE` answers it: its id and a flat list of names and values.
    package init?(_ reply: RESPValue) {
        guard let entry = reply.array, entry.count == 2, let id = entry[0].string,
            let flat = entry[1].array?.map(\.string), flat.count.isMultiple(of: 2)
        else { return nil }
        let pairs = stride(from: 0, to: flat.count, by: 2).map { (flat[$0] ?? "", flat[$0 + 1] ?? "") }
        self.init(id: id, fields: pairs)
    }
}
