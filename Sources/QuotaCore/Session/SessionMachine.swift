// One life of a node towards one organisation's books, as a state machine without I/O and without a clock.

import Synchronization

/// Decides what a session tells the ledger and what its answers mean.
///
/// Events come in with `now`, a monotonic time in ms that also counts while the machine is suspended; the ledger's own
/// time is derived from its answers. One message is under way at a time; one without answer is given up and followed by
/// a newer one that carries everything anew.
package struct SessionMachine: Sendable {
    package enum Phase: Sendable, Hashable {
        case live
        /// Saying goodbye: no admissions, open holds are parked, every slice goes back.
        case closing
        /// The ledger has ended the session: everything settles through the ledger.
        case over
        /// Nothing is left to tell.
        case ended
    }

    struct InFlight {
        var number: Int64
        var sentAt: Int64
        var history: String
        var told: [(key: LeaseKey, used: Int64, returned: Int64, recall: Int64)]
        var openedEnd: Int
        var closedEnd: Int
        var expiredEnd: Int
        var parkedCount: Int
        var groups: [UInt64]
        var goodbye: Bool
    }

    package let id: String
    package let table: ReservationTable
    package let timing: SessionTiming
    package internal(set) var phase: Phase = .live
    var number: Int64 = 0
    var inFlight: InFlight?
    var lastSentAt: Int64 = .min
    var newestAnswer: Int64 = 0
    package internal(set) var history = ""
    package internal(set) var seq: Int64 = 0
    /// A history that is not adopted yet, and the leases it has shown with all that was granted.
    var candidate: (history: String, seq: Int64, shown: Set<LeaseKey>)?
    var leases: [LeaseKey: LeaseState] = [:]
    package internal(set) var waiters: [Waiter] = []
    /// Monotonic ms: until when the session may settle by itself. From before the answered message was sent.
    package internal(set) var deadline: Int64 = .min
    /// Monotonic ms: when the newest answered message was sent.
    package internal(set) var answeredAt: Int64 = .min
    /// Ledger time minus monotonic time, ms.
    package internal(set) var ledgerOffset: Int64 = 0
    package internal(set) var sessions: Int64 = 1
    package internal(set) var recoveringUntil: Int64 = 0
    /// Version of the rules that the newest answer named.
    package internal(set) var rulesVersionSeen: Int64 = 0
    /// Version of the rules that the driver has applied; told with every message.
    package private(set) var rulesVersionApplied: Int64 = 0
    /// Monotonic ms: as of when the rules applied were the newest. An answer that names newer ones does not count, or a
    /// node that can exchange but not read would miss a block for ever.
    var rulesAsOf: Int64 = .min
    /// Consecutive messages without an answer.
    package internal(set) var failures = 0
    var attentionAt: Int64?
    /// Reservation numbers to tell: since the last acknowledged message, in order.
    var opened: [Int64] = []
    var closed: [Int64] = []
    var expired: [Int64] = []
    /// Told as closed lately: told again on a new history.
    var closedLately: [(number: Int64, at: Int64)] = []
    var parked: [ParkedHold]?
    var parkedTold = 0
    var saidGoodbye = false
    var goodbyeConfirmed: (since: Int64, history: String)?
    /// Emergency amounts of budgets with `outage: allow`, by generation, book units.
    package var emergencyAmounts: [String: Int64] = [:]

    /// - Parameter rulesVersion: version of the rules that the driver has applied.
    package init(id: String, table: ReservationTable, timing: SessionTiming, rulesVersion: Int64 = 0) {
        self.rulesVersionApplied = rulesVersion
        self.id = id
        self.table = table
        self.timing = timing
    }

    // MARK: Leases

    /// The lease of a budget's period, made on first use.
    package mutating func lease(_ key: LeaseKey, unit: BudgetUnit, end: Int64, now: Int64) -> Lease {
        if let state = leases[key] { return state.lease }
        let lease = Lease(key: key, unit: unit, end: end)
        leases[key] = LeaseState(lease: lease, now: now)
        return lease
    }

    package var leaseCount: Int { leases.count }

    /// Ledger time, ms. Before the first answer it is unknown.
    package func ledgerTime(_ now: Int64) -> Int64 { now + ledgerOffset }

    /// Whether the session may settle by itself at this moment: not past its deadline, nor once goodbye was said.
    package func maySettle(_ now: Int64) -> Bool {
        (phase == .live || (phase == .closing && !saidGoodbye)) && now <= deadline
    }

    /// Whether the ledger is out of reach as far as this session knows.
    package func isCutOff(_ now: Int64) -> Bool { failures > 0 }

    /// The driver has applied all rules up to a version, which was the newest at a monotonic time.
    package mutating func apply(rules version: Int64, asOf: Int64) {
        rulesVersionApplied = max(rulesVersionApplied, version)
        rulesAsOf = max(rulesAsOf, asOf)
    }

    /// Monotonic ms: as of when both the last answer and the rules are known; `.min` while one of them is not.
    package var freshAsOf: Int64 { min(answeredAt, rulesAsOf) }

    /// Whether requests may be admitted on what was known at a time: it is not older than a bound, ms.
    package static func isFresh(asOf: Int64, now: Int64, bound: Int64) -> Bool { asOf != .min && now - asOf <= bound }

    // MARK: Hints

    /// Another node is short: the idle slice goes back at once.
    package mutating func recall(_ key: LeaseKey, round: Int64, now: Int64) {
        guard let state = leases[key] else { return }
        leases[key]?.recall = max(state.recall, round)
        if round == 0 { leases[key]?.mustTell = true }
        attentionAt = now
    }

    /// Money has come back: refusals known here no longer hold.
    package mutating func freed(_ key: LeaseKey, now: Int64) {
        guard let state = leases[key] else { return }
        state.lease.figuresBox.withLock { $0.floors = [:] }
        guard !waiters.isEmpty else { return }
        for index in waiters.indices { waiters[index].notBefore = 0 }
        attentionAt = now
    }

    /// Rules or allowances have changed: refusals known here no longer hold, figures are wanted.
    package mutating func rulesChanged(generation: String?, now: Int64) {
        for (key, state) in leases where generation == nil || key.generation == generation {
            state.lease.figuresBox.withLock { $0.floors = [:] }
            leases[key]?.mustTell = true
            attentionAt = now
        }
    }

    /// Leftovers wait; they go back within `leftoverWait`.
    package mutating func leftover(now: Int64) {
        attentionAt = min(attentionAt ?? .max, now + timing.leftoverWait)
    }

    // MARK: Waiters

    /// Puts a request in line for a grant.
    ///
    /// - Returns: an outcome when there is nothing to wait for.
    package mutating func enqueue(_ waiter: Waiter, now: Int64) -> WaiterOutcome? {
        func refuse(_ reason: RefusalReason) -> WaiterOutcome {
            WaiterOutcome(id: waiter.id, attempt: waiter.attempt, result: .refused(reason))
        }
        // Leases of another session, or of a period that was forgotten: a grant would not come to them.
        let isOwn = waiter.attempt.chain.slots.allSatisfy { leases[$0.lease.key]?.lease === $0.lease }
        if phase != .live || !isOwn { return refuse(.stale) }
        if waiters.count >= timing.maximumWaiters { return refuse(.overloaded) }
        if failures > 1 { return refuse(.unavailable) }
        if answeredAt != .min, ledgerTime(now) < recoveringUntil { return refuse(.recovering) }
        waiters.append(waiter)
        attentionAt = now
        return nil
    }

    /// Ends the waiting of requests whose time is over.
    package mutating func expireWaiters(now: Int64) -> [WaiterOutcome] {
        guard waiters.contains(where: { $0.deadline <= now }) else { return [] }
        let ended = waiters.filter { $0.deadline <= now }
        waiters.removeAll { $0.deadline <= now }
        return ended.map {
            let reason: RefusalReason = $0.wasAnswered ? .exhausted([]) : .unavailable
            return WaiterOutcome(id: $0.id, attempt: $0.attempt, result: .refused(reason))
        }
    }

    /// Hands all waiting requests back, to be tried in another session.
    package mutating func dismissWaiters() -> [WaiterOutcome] {
        defer { waiters = [] }
        return waiters.map { WaiterOutcome(id: $0.id, attempt: $0.attempt, result: .refused(.stale)) }
    }

    // MARK: Phases

    /// Begins the goodbye: nothing is admitted any more. `maySettle` still holds until the session is over.
    package mutating func close(now: Int64) {
        guard phase == .live else { return }
        phase = .closing
        attentionAt = now
    }

    /// When the next message is due, monotonic ms.
    package func due(now: Int64) -> Int64 {
        guard phase != .ended else { return .max }
        if let flight = inFlight { return flight.sentAt + timing.exchangeTimeout }
        if lastSentAt == .min { return now }
        let quiet = waiters.isEmpty && phase == .live && !leases.values.contains { $0.isDirty }
        let backoff: Int64 = failures > 0 ? min(1000, 50 << Int64(min(failures, 5))) : 0
        var next = lastSentAt + max(pace(quiet: quiet), backoff)
        if let attention = attentionAt { next = min(next, max(attention, lastSentAt + backoff)) }
        for waiter in waiters { next = min(next, max(waiter.notBefore, lastSentAt + backoff)) }
        return next
    }

    /// Many sessions come less often, so that they do not saturate Redis; never so late that the session expires.
    private func pace(quiet: Bool) -> Int64 {
        let crowd = sessions / 4
        let base = quiet ? timing.quietInterval : timing.interval
        return min(max(base, crowd), timing.timeToLive / 3)
    }
}
