// Making the next message: a report of one moment, what goes back, what is needed.

import Synchronization

extension SessionMachine {
    /// Makes the next message when one is due. The report is of one moment: all of it is taken while no reservation can
    /// be made or ended.
    package mutating func makeMessage(now: Int64) -> ExchangeMessage? {
        guard phase != .ended else { return nil }
        if let flight = inFlight {
            guard now >= flight.sentAt + timing.exchangeTimeout else { return nil }
            inFlight = nil
            failures += 1
            if failures == 1 { lendEmergency() }
        }
        let elapsed = lastSentAt == .min ? timing.interval : now - lastSentAt
        number += 1
        lastSentAt = now
        attentionAt = nil
        return table.exclusively { compose(elapsed: elapsed, now: now) }
    }

    private mutating func compose(elapsed: Int64, now: Int64) -> ExchangeMessage {
        for key in leases.keys.sorted() {
            leases[key]?.measure(elapsed: elapsed, now: now)
            giveBackIdle(key, now: now)
        }
        collectNumbers()
        let goodbye = prepareGoodbye()
        let park = parked.map { Array($0[min(parkedTold, $0.count)...].prefix(ExchangeMessage.maximumParked)) } ?? []
        var keys: [LeaseKey] = []
        var listed: Set<LeaseKey> = []
        var groups: [[Need]] = []
        var asking: [UInt64] = []
        if phase == .live { collectNeeds(now: now, &keys, &listed, &groups, &asking) }
        let reports = collectReports(&keys, &listed)
        inFlight = InFlight(
            number: number, sentAt: now, history: history,
            told: reports.map { ($0.key, $0.used, $0.returned, $0.answered) },
            openedEnd: opened.count, closedEnd: closed.count, expiredEnd: expired.count, parkedCount: park.count,
            groups: asking,
            goodbye: goodbye)
        return ExchangeMessage(
            session: id, number: number, history: history, seq: seq, rulesVersion: rulesVersionApplied,
            goodbye: goodbye, next: table.next, opened: opened, closed: closed, expired: expired, parked: park,
            leases: reports,
            groups: groups)
    }

    /// Slices that nobody needs go back: all of them after a recall, at the end of a period or of the session; what is
    /// above the slack at once; what was not touched for a while. Of a session that is over the ledger takes back itself.
    private mutating func giveBackIdle(_ key: LeaseKey, now: Int64) {
        guard phase != .over, var state = leases[key] else { return }
        let idle = state.idleInBook
        let finished = answeredAt != .min && ledgerTime(now) >= key.endGuard(state.lease.end)
        if phase != .live || finished || state.recall > state.answered || now - state.lastUse >= timing.idleReturn {
            state.giveBack(idle)
            if now - state.lastUse >= timing.idleReturn { state.rate = 0 }
        } else if idle > state.slack {
            state.giveBack(idle - state.slack)
        } else if idle > 4 * max(state.demand, 1), state.slack < .max / 2, now - state.lastUse > 1000 {
            state.giveBack(idle - 2 * state.demand)
        }
        leases[key] = state
    }

    /// Numbers opened and closed since the last acknowledged message, of all shards.
    private mutating func collectNumbers() {
        for shard in table.shards {
            for number in shard.state.fresh {
                if shard.state.entries[number] != nil {
                    shard.state.entries[number]?.reported = true
                    opened.append(number)
                } else if shard.state.expired[number] != nil {
                    shard.state.expired[number]?.reported = true
                    opened.append(number)
                }
            }
            shard.state.fresh.removeAll(keepingCapacity: true)
            expired.append(contentsOf: shard.state.charged.filter { shard.state.expired[$0] != nil })
            shard.state.charged.removeAll(keepingCapacity: true)
            closed.append(contentsOf: shard.state.closed)
            shard.state.closed.removeAll(keepingCapacity: true)
        }
    }

    /// Parks the open holds, then says goodbye once the ledger has them all.
    private mutating func prepareGoodbye() -> Bool {
        guard phase == .closing || phase == .over else { return false }
        if parked == nil {
            var holds: [ParkedHold] = []
            for shard in table.shards {
                for (number, entry) in shard.state.entries where entry.state == .open {
                    holds.append(Self.park(number, entry))
                }
            }
            parked = holds.sorted { $0.number < $1.number }
        }
        if parkedTold >= (parked?.count ?? 0) { saidGoodbye = true }
        return saidGoodbye
    }

    static func park(_ number: Int64, _ entry: Reservation) -> ParkedHold {
        var parts: [LeaseKey: Int64] = [:]
        var charges = true
        for hold in [entry.hold] + entry.more {
            for index in hold.chain.slots.indices where !hold.isExempt(index) {
                let slot = hold.chain.slots[index]
                let amount = hold.amounts[slot.lease.unit]
                guard amount > 0 else { continue }
                parts[slot.lease.key, default: 0] += (amount + slot.lease.scale - 1) / slot.lease.scale
                if !slot.rule.abandonedCharges { charges = false }
            }
        }
        return ParkedHold(
            number: number, expiresAt: entry.expiresAt, charges: charges,
            parts: parts.keys.sorted().map { ParkedHold.Part(key: $0, amount: parts[$0] ?? 0) })
    }

    /// One group for each waiting request, in their order, each for what it lacks after those before it.
    private mutating func collectNeeds(
        now: Int64, _ keys: inout [LeaseKey], _ listed: inout Set<LeaseKey>, _ groups: inout [[Need]],
        _ asking: inout [UInt64]
    ) {
        var spoken: [LeaseKey: Int64] = [:]
        for index in waiters.indices {
            guard groups.count < ExchangeMessage.maximumGroups else { break }
            guard waiters[index].notBefore <= now else { continue }
            guard case .ask(var needs) = waiters[index].attempt.evaluate() else {
                // Slices suffice by now: an empty group asks for nothing and is served with the answer.
                asking.append(waiters[index].id)
                groups.append([])
                continue
            }
            let fresh = needs.filter { !listed.contains($0.key) }.map(\.key)
            guard keys.count + fresh.count <= ExchangeMessage.maximumLeases else { break }
            for key in fresh {
                keys.append(key)
                listed.insert(key)
            }
            // The slice serves the first that lacks; those behind it lack that much more.
            for place in needs.indices {
                let need = needs[place]
                guard let lease = leases[need.key]?.lease, need.amount > 0 else { continue }
                let hold = waiters[index].attempt.amounts[lease.unit]
                let whole = (hold + lease.scale - 1) / lease.scale
                if spoken[need.key] != nil { needs[place].amount = whole }
                spoken[need.key] = whole
            }
            groups.append(needs)
            asking.append(waiters[index].id)
        }
    }

    /// Reports of the leases that are needed, that changed or that want more, as many as a message may carry.
    private mutating func collectReports(_ keys: inout [LeaseKey], _ listed: inout Set<LeaseKey>) -> [LeaseReport] {
        for key in leases.keys.sorted() {
            guard keys.count < ExchangeMessage.maximumLeases else { break }
            guard !listed.contains(key), let state = leases[key] else { continue }
            if state.isDirty || wanted(state) > 0 {
                keys.append(key)
                listed.insert(key)
            }
        }
        return keys.compactMap { key in
            guard let state = leases[key] else { return nil }
            return LeaseReport(
                key: key, granted: state.granted, used: state.usedInBook, returned: state.returned,
                want: state.granted + wanted(state), demand: min(state.demand, 1 << 50), answered: state.recall)
        }
    }

    /// What a slice lacks for the next two seconds of demand; nothing while more than half of that is there.
    private func wanted(_ state: LeaseState) -> Int64 {
        guard phase == .live, state.rate > 0, state.slack > 0 else { return 0 }
        let idle = state.idleInBook
        return idle * 2 >= state.demand ? 0 : min(state.demand - idle, 1 << 50)
    }

    /// While the ledger is out of reach a budget with `outage: allow` may be overspent by its emergency amount, divided
    /// by the sessions last known. A session that never had an answer gets none.
    mutating func lendEmergency() {
        guard answeredAt != .min else { return }
        for (key, state) in leases where state.emergency == 0 {
            guard let amount = emergencyAmounts[key.generation] else { continue }
            let share = amount / max(1, sessions) * state.lease.scale
            leases[key]?.emergency = share
            state.lease.spendable.wrappingAdd(share, ordering: .relaxed)
        }
    }

    /// The loan ends with the first answer: what was spent of it is an overrun, which the ledger books.
    mutating func endEmergency() {
        for (key, state) in leases where state.emergency > 0 {
            state.lease.spendable.wrappingSubtract(state.emergency, ordering: .relaxed)
            leases[key]?.emergency = 0
        }
    }
}

extension LeaseKey {
    /// Ledger ms from which a period that ends at `end` seconds counts as finished.
    func endGuard(_ end: Int64) -> Int64 { end * 1000 }
}
