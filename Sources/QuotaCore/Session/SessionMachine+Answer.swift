// What the ledger's answer means: time, history, grants, settlements by others, the fate of waiting requests.

import Synchronization

extension SessionMachine {
    /// Applies an answer.
    ///
    /// - Parameter answered: number of the message that it answers; late and repeated answers are harmless.
    /// - Returns: the outcomes of requests whose waiting has ended.
    package mutating func receive(
        _ answer: ExchangeAnswer, to answered: Int64, sentAt: Int64, now: Int64
    ) -> [WaiterOutcome] {
        guard phase != .ended else { return [] }
        // A first answer that comes late is as good as lost: by half its way it would set the ledger's time wrong.
        guard answeredAt != .min || now - sentAt <= timing.exchangeTimeout else { return [] }
        let flight = inFlight?.number == answered ? inFlight : nil
        if flight != nil { inFlight = nil }
        let newer = answered > newestAnswer
        newestAnswer = max(newestAnswer, answered)
        failures = 0
        endEmergency()
        keepTime(answer, sentAt: sentAt, now: now)
        followHistory(answer, newer: newer)
        if newer { sessions = max(1, answer.sessions) }
        if newer { recoveringUntil = answer.recoveringUntil }
        rulesVersionSeen = max(rulesVersionSeen, answer.rulesVersion)
        if answer.rulesVersion <= rulesVersionApplied { rulesAsOf = max(rulesAsOf, sentAt) }

        let outcomes = table.exclusively { apply(answer, flight: flight, newer: newer, now: now) }
        if let flight { acknowledge(flight, answer, now: now) }
        finish(answer, flight: flight, now: now)
        return outcomes
    }

    /// The message came to nothing: no answer in time, or the ledger could not be reached.
    package mutating func fail(_ number: Int64, now: Int64) {
        guard inFlight?.number == number else { return }
        inFlight = nil
        failures += 1
        if failures == 1 { lendEmergency() }
    }

    /// Deadlines count from before the message was sent. The answer was made after sending and before now, which bounds
    /// the ledger's time from both sides: what was believed is kept within, so that neither a leap of this node's clock
    /// nor an answer that was long on its way leaves an error that a quick answer does not end.
    private mutating func keepTime(_ answer: ExchangeAnswer, sentAt: Int64, now: Int64) {
        let isFirst = answeredAt == .min
        answeredAt = max(answeredAt, sentAt)
        if !answer.over { deadline = max(deadline, sentAt + answer.timeToLive) }
        let earliest = answer.now - now
        let latest = max(earliest, answer.now - sentAt)
        // The middle errs by at most half the way.
        let believed = isFirst ? earliest + (latest - earliest) / 2 : ledgerOffset
        ledgerOffset = min(max(believed, earliest), latest)
    }

    /// A new history is adopted only from answers that show all leases with all that was granted.
    private mutating func followHistory(_ answer: ExchangeAnswer, newer: Bool) {
        if answer.history == history {
            seq = max(seq, answer.seq)
            return
        }
        guard newer else { return }  // an answer of a history that is over
        if history.isEmpty {
            history = answer.history
            seq = answer.seq
            return
        }
        if candidate?.history != answer.history {
            candidate = (answer.history, answer.seq, [])
            retell()
        }
        for lease in answer.leases where lease.granted >= (leases[lease.key]?.granted ?? 0) {
            candidate?.shown.insert(lease.key)
        }
        let newest = max(candidate?.seq ?? 0, answer.seq)
        candidate?.seq = newest
        if let candidate, leases.allSatisfy({ $0.value.granted == 0 || candidate.shown.contains($0.key) }) {
            history = candidate.history
            seq = candidate.seq
            self.candidate = nil
        }
    }

    /// Redis has lost writes: everything that it may have forgotten is told again.
    private mutating func retell() {
        for key in leases.keys { leases[key]?.mustTell = true }
        let known = Set(opened)
        table.exclusively {
            for shard in table.shards {
                for (number, entry) in shard.state.entries
                where entry.state == .open && entry.reported && !known.contains(number) {
                    opened.append(number)
                }
                for (number, entry) in shard.state.expired where entry.reported && !known.contains(number) {
                    opened.append(number)
                    if entry.chargedAtExpiry { expired.append(number) }
                }
            }
        }
        closed.append(contentsOf: closedLately.map(\.number))
        closedLately = []
        parkedTold = 0
        goodbyeConfirmed = nil
    }

    private mutating func apply(
        _ answer: ExchangeAnswer, flight: InFlight?, newer: Bool, now: Int64
    ) -> [WaiterOutcome] {
        for lease in answer.leases { apply(lease, answer, newer: newer, now: now) }
        for entry in answer.inbox { settle(entry, answer, now: now) }
        if answer.over, phase == .live || phase == .closing {
            phase = .over
            attentionAt = now
        }
        if phase != .live { return dismissWaiters() }
        return serve(answer, flight: flight, now: now)
    }

    private mutating func apply(_ told: LeaseAnswer, _ answer: ExchangeAnswer, newer: Bool, now: Int64) {
        guard var state = leases[told.key] else { return }
        if told.granted > state.granted {
            // A session that is over gets nothing: `granted` was raised by what the ledger booked for it.
            if !answer.over {
                let more = (told.granted - state.granted) * state.lease.scale
                state.lease.spendable.wrappingAdd(more, ordering: .relaxed)
            }
            state.granted = told.granted
            state.clean = nil
        }
        if newer {
            state.slack = told.slack
            let limit = told.slack >= 1 << 50 ? Int64.max : told.slack * state.lease.scale
            state.lease.idleLimit.store(limit, ordering: .relaxed)
            let gated = told.ceilings.first.map { told.committed > $0.amount } ?? false
            state.lease.gated.store(gated, ordering: .relaxed)
            if told.recall > state.recall {
                state.recall = told.recall
                attentionAt = now
            } else if state.idleInBook > told.slack {
                attentionAt = min(attentionAt ?? .max, now + timing.leftoverWait)
            }
            let (granted, returned) = (state.granted, state.returned)
            state.lease.figuresBox.withLock {
                $0.allowance = told.allowance
                $0.committed = told.committed
                $0.spent = told.spent
                $0.doubt = told.doubt
                $0.limit = told.limit
                $0.ceilings = told.ceilings
                $0.floors = told.floors
                $0.reached = told.reached
                $0.asOf = answer.now
                $0.granted = granted
                $0.returned = returned
            }
        }
        leases[told.key] = state
    }

    /// A commit that another node took: the owner counts it, while it may. Charges are in book units.
    private mutating func settle(_ entry: InboxEntry, _ answer: ExchangeAnswer, now: Int64) {
        guard !answer.over, maySettle(now) else { return }
        let shard = table.shard(of: entry.number).state
        guard let open = shard.entries[entry.number] ?? shard.expired[entry.number] else { return }
        var actual = Amounts.zero
        for part in entry.parts {
            for hold in [open.hold] + open.more {
                for (index, slot) in hold.chain.slots.enumerated()
                where slot.lease.key == part.key && !hold.isExempt(index) {
                    actual[slot.lease.unit] = max(actual[slot.lease.unit], part.charge * slot.lease.scale)
                }
            }
        }
        _ = table.commitExclusively(entry.number, actual: actual, now: answer.now)
    }

    // MARK: Waiting requests

    /// Serves waiting requests in their order with what has come; all locks are held, so nobody takes it away.
    private mutating func serve(_ answer: ExchangeAnswer, flight: InFlight?, now: Int64) -> [WaiterOutcome] {
        var verdicts: [UInt64: GroupAnswer] = [:]
        if let flight {
            for (id, group) in zip(flight.groups, answer.groups) { verdicts[id] = group }
        }
        var outcomes: [WaiterOutcome] = []
        var remaining: [Waiter] = []
        for var waiter in waiters {
            let verdict = verdicts[waiter.id]
            if verdict != nil { waiter.wasAnswered = true }
            if let result = decide(&waiter, verdict, now: now) {
                outcomes.append(WaiterOutcome(id: waiter.id, attempt: waiter.attempt, result: result))
            } else {
                remaining.append(waiter)
            }
        }
        waiters = remaining
        return outcomes
    }

    private func decide(_ waiter: inout Waiter, _ verdict: GroupAnswer?, now: Int64) -> WaiterOutcome.Result? {
        // What memory would not admit at this moment is not admitted by a grant either: rules may have changed, a period
        // may have ended while the request waited.
        guard waiter.attempt.chain.isCurrent(ledgerTime(now)) else { return .refused(.stale) }
        if case .extend(let number, _) = waiter.kind, table.shard(of: number).state.entries[number]?.state != .open {
            return .refused(.stale)
        }
        switch verdict {
        case .granted:
            if let number = take(waiter, now: now) { return .admitted(number) }
        case .wait:
            waiter.notBefore = now + timing.recallWait
        case .refused(let keys):
            if case .exhausted(let places)? = waiter.attempt.refused(keys) { return .refused(.exhausted(places)) }
        case .throttled(let milliseconds): return .refused(.throttled(retryMilliseconds: milliseconds))
        case .recovering: return .refused(.recovering)
        case .closed: return .refused(.stale)
        case nil: break
        }
        switch waiter.attempt.evaluate() {
        case .take:
            return take(waiter, now: now).map { .admitted($0) }
        case .ask: return nil
        case .exhausted(let places): return .refused(.exhausted(places))
        }
    }

    /// Nothing is taken by an answer that came so late that a block after it would be missed beyond its bound.
    private func take(_ waiter: Waiter, now: Int64) -> Int64? {
        let attempt = waiter.attempt
        guard Self.isFresh(asOf: freshAsOf, now: now, bound: attempt.chain.stalenessBound) else { return nil }
        switch waiter.kind {
        case .reserve(let expiresAt):
            return table.admitExclusively(attempt.hold, expiresAt: expiresAt, model: attempt.model)
        case .extend(let number, let expiresAt):
            return table.extend(number, to: attempt.hold, expiresAt: expiresAt, granted: true) ? number : nil
        }
    }

    // MARK: Acknowledgement

    private mutating func acknowledge(_ flight: InFlight, _ answer: ExchangeAnswer, now: Int64) {
        // In a history that the message did not know nothing counts as used yet.
        let counted = flight.history.isEmpty || flight.history == answer.history
        for told in flight.told {
            guard let state = leases[told.key] else { continue }
            if counted {
                leases[told.key]?.toldUsed = told.used
                leases[told.key]?.toldReturned = told.returned
                leases[told.key]?.mustTell = false
            }
            if state.answered < told.recall { leases[told.key]?.answered = told.recall }
        }
        closedLately.removeAll { $0.at + 5 * timing.redisLoss < now }
        closedLately.append(contentsOf: closed.prefix(flight.closedEnd).map { ($0, now) })
        opened.removeFirst(min(flight.openedEnd, opened.count))
        closed.removeFirst(min(flight.closedEnd, closed.count))
        expired.removeFirst(min(flight.expiredEnd, expired.count))
        parkedTold += flight.parkedCount
        if let candidate {
            for key in leases.keys where !candidate.shown.contains(key) { leases[key]?.mustTell = true }
        }
        forgetFinishedLeases(answer, now: now)
    }

    /// A finished lease is forgotten when two answers of one history further apart than Redis may lose confirm it, and
    /// no late commit can change it any more.
    private mutating func forgetFinishedLeases(_ answer: ExchangeAnswer, now: Int64) {
        let time = ledgerTime(now)
        for (key, state) in leases where time > state.lease.end * 1000 {
            guard !state.isDirty, state.reserved == 0, state.idleInBook == 0, answer.history == history else {
                leases[key]?.clean = nil
                continue
            }
            guard let clean = state.clean, clean.history == history else {
                leases[key]?.clean = (now, history)
                continue
            }
            if now - clean.since > ReservationTable.keepSettled + timing.redisLoss { leases[key] = nil }
        }
    }

    /// Goodbye is said again until two answers of one history further apart than Redis may lose confirm it.
    private mutating func finish(_ answer: ExchangeAnswer, flight: InFlight?, now: Int64) {
        guard phase == .closing || phase == .over, answer.ended, let flight, flight.goodbye else { return }
        guard let confirmed = goodbyeConfirmed, confirmed.history == answer.history else {
            goodbyeConfirmed = (now, answer.history)
            return
        }
        if now - confirmed.since > timing.redisLoss { phase = .ended }
    }
}
