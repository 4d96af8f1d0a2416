// What every change by people has in common: an id to repeat it by, who makes it and why, and what it expects to find.

import RedisClient

/// One change of the rules. Sending it again with the same id changes nothing more.
package struct Change: Sendable, Hashable {
    /// `[A-Za-z0-9._:-]{1,120}`, remembered for 24 hours.
    package var id: String
    package var actor: String
    package var reason: String
    /// The version that the changed thing must have; nil for any, 0 when it must not exist yet.
    package var expectedVersion: Int64?

    package init(
        id: String = RandomIdentifier.make(), actor: String, reason: String = "", expectedVersion: Int64? = nil
    ) {
        self.id = id
        self.actor = actor
        self.reason = reason
        self.expectedVersion = expectedVersion
    }

    /// ARGV[4...7] of the admin scripts.
    var arguments: [String] { [id, actor, reason, expectedVersion.map(String.init) ?? ""] }
}

/// What a change made.
package struct Written: Sendable, Hashable {
    /// The version of the changed thing, which is that of its audit entry.
    package var version: Int64
    /// Nothing was written: the change had been made before.
    package var replayed: Bool

    package init(version: Int64, replayed: Bool) {
        self.version = version
        self.replayed = replayed
    }
}

extension Ledger {
    /// Runs an admin script.
    ///
    /// - Throws: `.invalid`, `.notFound`, `.precondition` and `.conflict` as the script says, `.noOrganisation`; after
    ///   `.unavailable` the change may have been made: repeat it with the same id.
    func write(
        _ script: RedisScript, _ change: Change, _ arguments: [String], organisation: String,
        durability: Durability = .relaxed
    ) async throws(LedgerError) -> Written {
        let reply = try await run(
            script, organisation: organisation, change.arguments + arguments, durability: durability)
        guard let list = reply.array, list.count == 2, let version = list[0].int, let replayed = list[1].string else {
            throw LedgerError.unexpected(script.name, reply)
        }
        return Written(version: version, replayed: replayed == "1")
    }
}

extension Ledger {
    /// As `write`, for what must hold whatever happens to Redis: it counts when it has reached what the organisation's
    /// durability asks for. After `.unavailable` repeat it with the same id: a repeat counts under the same condition.
    func writeDurably(
        _ script: RedisScript, _ change: Change, _ arguments: [String], organisation: String
    ) async throws(LedgerError) -> Written {
        let durability = try await durability(of: organisation)
        return try await write(script, change, arguments, organisation: organisation, durability: durability)
    }
}

extension RESPValue {
    /// The elements of a reply as texts, at least `count` of them; integers as decimal strings.
    func texts(atLeast count: Int) -> [String]? {
        guard let array, array.count >= count else { return nil }
        return array.map { $0.string ?? $0.int.map { String($0) } ?? "" }
    }

    /// The rows of a reply, each made by `make`; nil when one of them has fewer than `count` texts.
    func rows<Row>(of count: Int, _ make: ([String]) -> Row) -> [Row]? {
        guard let array else { return nil }
        var rows: [Row] = []
        for item in array {
            guard let texts = item.texts(atLeast: count) else { return nil }
            rows.append(make(texts))
        }
        return rows
    }
}

/// A page of a list.
package struct LedgerPage<Row: Sendable>: Sendable {
    package var items: [Row]
    /// Where the next page begins; nil at the end.
    package var next: String?
}

extension Ledger {
    /// Reads a reply `{ next cursor, rows }`.
    static func page<Row>(
        _ script: RedisScript, _ reply: RESPValue, of count: Int, _ make: ([String]) -> Row
    ) throws(LedgerError) -> LedgerPage<Row> {
        guard let list = reply.array, list.count == 2, let cursor = list[0].string,
            let rows = list[1].rows(of: count, make)
        else { throw LedgerError.unexpected(script.name, reply) }
        return LedgerPage(items: rows, next: cursor.isEmpty ? nil : cursor)
    }
}
