// Money in doubt as people see it: what dead sessions may have spent, and what administrators decide about it.

import QuotaCore
import RedisClient

extension LedgerScript {
    static let doubtList = assemble("doubt_list", PackageResources.doubt_list_lua)
    static let doubtResolve = assemble("doubt_resolve", PackageResources.doubt_resolve_lua)
}

/// Names what one session holds of one budget's period.
package struct DoubtID: Sendable, Hashable, CustomStringConvertible {
    package var key: LeaseKey
    package var session: String

    package init(key: LeaseKey, session: String) {
        self.key = key
        self.session = session
    }

    /// Reads `GENERATION.START.SESSION`; nil for anything else.
    package init?(_ text: String) {
        let parts = text.split(separator: ".", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, !parts[0].isEmpty, !parts[2].isEmpty, let start = Int64(parts[1]), start >= 0 else {
            return nil
        }
        self.init(key: LeaseKey(generation: String(parts[0]), start: start), session: String(parts[2]))
        guard description == text else { return nil }
    }

    package var description: String { "\(key.generation).\(key.start).\(session)" }

    var arguments: [String] { [key.generation, String(key.start), session] }
}

/// What a dead session may have spent of one budget's period. Amounts in book units.
package struct DoubtRow: Sendable, Hashable {
    package var id: DoubtID
    package var amount: Int64
    /// What of it nothing will settle by itself: not parked holds nor commits that wait to be booked.
    package var resolvable: Int64
    /// Empty where the session was forgotten.
    package var node: String
    /// Ledger time of its last message, ms; 0 where the session was forgotten.
    package var seenAt: Int64
    package var account: String
    package var budget: String
    package var unit: String
    package var periodID: String
    /// End of the period, seconds.
    package var end: Int64

    init(_ text: [String]) {
        func number(_ index: Int) -> Int64 { Int64(text[index]) ?? 0 }
        id = DoubtID(key: LeaseKey(generation: text[0], start: number(1)), session: text[2])
        amount = number(3)
        resolvable = number(4)
        node = text[5]
        seenAt = number(6)
        account = text[7]
        budget = text[8]
        unit = text[9]
        periodID = text[10]
        end = number(11)
    }
}

/// What becomes of money in doubt.
package enum DoubtResolution: String, Sendable, CaseIterable {
    /// It counts as spent.
    case charge
    /// It goes back to the budget.
    case release
}

extension Ledger {
    /// A page of what is in doubt. It may be short, even empty, and still have a next one.
    package func doubts(
        after cursor: String? = nil, limit: Int = 500, organisation: String
    ) async throws(LedgerError) -> LedgerPage<DoubtRow> {
        let reply = try await run(
            LedgerScript.doubtList, organisation: organisation, [cursor ?? "", String(limit), "", "", ""])
        return try Self.page(LedgerScript.doubtList, reply, of: 12, DoubtRow.init)
    }

    /// What a session may have spent of one budget's period, also when that is 0; nil when it never held any of it.
    package func doubt(_ id: DoubtID, organisation: String) async throws(LedgerError) -> DoubtRow? {
        let reply = try await run(
            LedgerScript.doubtList, organisation: organisation, ["", "1"] + id.arguments)
        return try Self.page(LedgerScript.doubtList, reply, of: 12, DoubtRow.init).items.first
    }

    /// Decides what became of money in doubt. `change.expectedVersion` is nil.
    ///
    /// - Parameters:
    ///   - resolution: nil for what the budget says of abandoned reservations.
    ///   - amount: in book units; nil for all.
    /// - Throws: `.conflict` when the session lives, when nothing or less is in doubt or when it is settled by itself;
    ///   `.notFound`.
    package func resolveDoubt(
        _ id: DoubtID, _ resolution: DoubtResolution?, amount: Int64? = nil, change: Change, organisation: String
    ) async throws(LedgerError) -> Written {
        try await write(
            LedgerScript.doubtResolve, change,
            id.arguments + [resolution?.rawValue ?? "", amount.map(String.init) ?? ""], organisation: organisation)
    }
}
