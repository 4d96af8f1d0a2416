// Keys as the console knows them: for a moment only, and dropped when the ledger tells that one changed, so that a
// revoked key loses the console as fast as it loses the gateways.

import Ledger
import Synchronization

final class KeyCache: Sendable {
    struct Limits: Sendable {
        var entries = 10_000
        /// How long an entry is used.
        var life = Duration.seconds(1)
    }

    private struct Name: Hashable {
        var organisation: String
        var key: String
    }

    private struct Entry {
        /// Nil: there is no such key.
        var row: KeyRow?
        var until: ContinuousClock.Instant
    }

    private let ledger: Ledger
    private let limits: Limits
    private let entries = Mutex<[Name: Entry]>([:])

    init(ledger: Ledger, limits: Limits = Limits()) {
        self.ledger = ledger
        self.limits = limits
    }

    /// - Returns: nil for a key or an organisation that does not exist.
    func key(_ id: String, organisation: String) async throws(LedgerError) -> KeyRow? {
        let name = Name(organisation: organisation, key: id)
        let now = ContinuousClock.now
        if let entry = entries.withLock({ $0[name] }), entry.until > now { return entry.row }
        var row: KeyRow?
        do {
            row = try await ledger.key(id, organisation: organisation)
        } catch {
            guard error.code == .notFound || error.code == .noOrganisation else { throw error }
        }
        entries.withLock { entries in
            if entries.count >= limits.entries { entries.removeAll() }
            // Counted from before the question: what changed meanwhile is found at the latest then.
            entries[name] = Entry(row: row, until: now + limits.life)
        }
        return row
    }

    /// A key was made, rotated or revoked.
    func forget(_ id: String, organisation: String) {
        entries.withLock { $0[Name(organisation: organisation, key: id)] = nil }
    }

    func forgetAll() { entries.withLock { $0.removeAll() } }
}
