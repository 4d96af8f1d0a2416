// The organisation's stream as people read it: the audit, and what happened to the books.

import RedisClient

extension LedgerScript {
    static let eventsRead = assemble("events_read", PackageResources.events_read_lua)
}

/// One entry of the organisation's stream. Texts that do not apply are empty.
package struct EventRow: Sendable, Hashable {
    package var version: Int64
    package var kind: String
    /// Ledger time, ms.
    package var time: Int64
    package var actor: String
    package var change: String
    package var target: String
    package var account: String
    package var budget: String
    package var generation: String
    package var key: String
    package var before: String
    package var after: String
    package var reason: String
    /// Fields that only some kinds have, such as `period` and `step`.
    package var others: [String: String]

    /// "VERSION", then field and value by turns.
    init?(_ text: [String]) {
        guard let first = text.first, let version = Int64(first) else { return nil }
        var fields: [String: String] = [:]
        for index in stride(from: 1, to: text.count - 1, by: 2) { fields[text[index]] = text[index + 1] }
        func take(_ name: String) -> String { fields.removeValue(forKey: name) ?? "" }
        self.version = version
        kind = take("kind")
        time = Int64(take("time_ms")) ?? 0
        actor = take("actor")
        change = take("change")
        target = take("target")
        account = take("account")
        budget = take("budget")
        generation = take("generation")
        key = take("key")
        before = take("before")
        after = take("after")
        reason = take("reason")
        others = fields
    }
}

/// Which entries of the stream are asked for; nil for all.
package struct EventFilter: Sendable, Hashable {
    package var account: String?
    package var actor: String?
    package var kind: String?

    package init(account: String? = nil, actor: String? = nil, kind: String? = nil) {
        self.account = account
        self.actor = actor
        self.kind = kind
    }
}

/// A page of the stream. It may be short, even empty, and still have a next one.
package struct EventPage: Sendable, Hashable {
    /// Version of the books.
    package var version: Int64
    package var items: [EventRow]
    /// Where to go on; nil when there is nothing older. In order of time there is always one.
    package var next: Int64?
}

extension Ledger {
    /// Entries below a version, or from the end, newest first.
    package func events(
        before cursor: Int64? = nil, filter: EventFilter = EventFilter(), limit: Int = 100, organisation: String
    ) async throws(LedgerError) -> EventPage {
        try await eventPage("newest", cursor, filter, limit, organisation)
    }

    /// Entries after a version, oldest first.
    package func events(
        after cursor: Int64, filter: EventFilter = EventFilter(), limit: Int = 100, organisation: String
    ) async throws(LedgerError) -> EventPage {
        try await eventPage("after", cursor, filter, limit, organisation)
    }

    private func eventPage(
        _ order: String, _ cursor: Int64?, _ filter: EventFilter, _ limit: Int, _ organisation: String
    ) async throws(LedgerError) -> EventPage {
        let reply = try await run(
            LedgerScript.eventsRead, organisation: organisation,
            [
                order, cursor.map(String.init) ?? "", String(limit), filter.account ?? "", filter.actor ?? "",
                filter.kind ?? "",
            ])
        guard let list = reply.array, list.count == 3, let version = list[0].int, let next = list[1].string,
            let rows = list[2].rows(of: 1, EventRow.init)
        else { throw LedgerError.unexpected("events_read", reply) }
        return EventPage(version: version, items: rows.compactMap(\.self), next: Int64(next))
    }
}
