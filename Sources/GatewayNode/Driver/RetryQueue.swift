// What only this node knows: direct charges the ledger has not taken yet, settlements and rules it might lose.

import Ledger
import Synchronization

/// Bounded memory of things to tell the ledger again.
final class RetryQueue: Sendable {
    struct Charge: Sendable {
        var id: String
        var parts: [SettlementPart]
    }
    struct Settlement: Sendable {
        var session: String
        var number: Int64
        var parts: [SettlementPart]
        /// Monotonic ms.
        var at: Int64
    }
    private struct State {
        var charges: [Charge] = []
        var settlements: [Settlement] = []
        var news: [(item: News, at: Int64)] = []
    }
    static let maximumCharges = 10_000
    static let maximumSettlements = 20_000
    /// Settlements are kept for this long, ms: longer than Redis may lose and a session lives.
    static let keep: Int64 = 20_000
    private let state = Mutex(State())

    /// False when the queue is full.
    func enqueue(_ charge: Charge) -> Bool {
        state.withLock {
            guard $0.charges.count < Self.maximumCharges else { return false }
            $0.charges.append(charge)
            return true
        }
    }

    var firstCharge: Charge? { state.withLock { $0.charges.first } }
    func removeFirstCharge() { state.withLock { if !$0.charges.isEmpty { $0.charges.removeFirst() } } }
    var chargeCount: Int { state.withLock { $0.charges.count } }

    func remember(_ settlement: Settlement) {
        state.withLock { state in
            if state.settlements.count >= Self.maximumSettlements {
                state.settlements.removeFirst(Self.maximumSettlements / 2)
            }
            state.settlements.append(settlement)
        }
    }

    static let maximumNews = 1_000

    func remember(_ item: News, at now: Int64) {
        state.withLock { state in
            if state.news.count >= Self.maximumNews { state.news.removeFirst() }
            state.news.append((item, now))
        }
    }

    /// Blocks and revocations learnt within `keep`, in their order.
    func recentNews(now: Int64) -> [News] {
        state.withLock { state in
            state.news.removeAll { $0.at + Self.keep < now }
            return state.news.map(\.item)
        }
    }

    /// Settlements younger than `keep`, for a new history.
    func recent(now: Int64) -> [Settlement] {
        state.withLock { state in
            state.settlements.removeAll { $0.at + Self.keep < now }
            return state.settlements
        }
    }
}
