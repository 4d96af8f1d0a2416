// Commit, release, expiry, extension: the ends and changes of a hold.

import Synchronization

extension ReservationTable {
    /// Charges what was really used. A commit after the expiry corrects the charge made then.
    ///
    /// - Parameter now: ledger time, ms.
    package func commit(_ number: Int64, actual: Amounts, now: Int64) -> Settlement {
        shard(of: number).locked { state in
            settle(number, &state, now: now, actual: actual)
        }
    }

    /// As `commit`; the caller holds all locks.
    func commitExclusively(_ number: Int64, actual: Amounts, now: Int64) -> Settlement {
        settle(number, &shard(of: number).state, now: now, actual: actual)
    }

    private func settle(_ number: Int64, _ state: inout ShardState, now: Int64, actual: Amounts) -> Settlement {
        if let entry = state.entries.removeValue(forKey: number) {
            charge(entry, actual: actual)
            let overrun = Self.exceeds(actual, entry.total)
            close(number, entry, &state)
            state.settled.append(
                number, SettledAnswer(charged: actual, at: now, late: false, overrun: overrun, released: false))
            return .done(charged: actual, late: false, overrun: overrun, repeated: false)
        }
        if let entry = state.expired.removeValue(forKey: number) {
            correct(entry, actual: actual)
            if entry.reported { state.closed.append(number) }
            let overrun = Self.exceeds(actual, entry.total)
            state.settled.append(
                number, SettledAnswer(charged: actual, at: now, late: true, overrun: overrun, released: false))
            return .done(charged: actual, late: true, overrun: overrun, repeated: false)
        }
        guard let first = state.settled.find(number) else { return .unknown }
        if first.released { return .conflict(.released) }
        return .done(charged: first.charged, late: first.late, overrun: first.overrun, repeated: true)
    }

    private static func exceeds(_ actual: Amounts, _ held: Amounts) -> Bool {
        actual.tokens > held.tokens || actual.usd > held.usd || actual.requests > held.requests
    }

    /// Ends a reservation without charge.
    package func release(_ number: Int64, now: Int64) -> Settlement {
        shard(of: number).locked { state in
            if let entry = state.entries.removeValue(forKey: number) {
                charge(entry, actual: .zero)
                close(number, entry, &state)
            } else if let entry = state.expired.removeValue(forKey: number) {
                correct(entry, actual: .zero)
                if entry.reported { state.closed.append(number) }
            } else {
                guard let first = state.settled.find(number) else { return .unknown }
                return first.released ? .released(repeated: true) : .conflict(.committed)
            }
            state.settled.append(
                number, SettledAnswer(charged: .zero, at: now, late: false, overrun: false, released: true))
            return .released(repeated: false)
        }
    }

    /// Replaces a hold by a larger or smaller one, or adds a further hold. All or none.
    ///
    /// - Parameters:
    ///   - hold: the new hold; on the same chain of leases it replaces, otherwise it is added for what exceeds the total.
    ///   - granted: the money was just granted and the caller holds all locks.
    package func extend(_ number: Int64, to hold: ChainHold, expiresAt: Int64, granted: Bool = false) -> Bool {
        let body: (inout ShardState) -> Bool = { state in
            guard var entry = state.entries[number], entry.state == .open else { return false }
            guard Self.takeAll(hold, respectGate: !granted) else { return false }
            entry.more.append(hold)
            entry.expiresAt = max(entry.expiresAt, expiresAt)
            state.entries[number] = entry
            return true
        }
        let shard = shard(of: number)
        return granted ? body(&shard.state) : shard.locked(body)
    }

    /// Moves the expiry without changing the hold.
    package func prolong(_ number: Int64, expiresAt: Int64) -> Bool {
        shard(of: number).locked { state in
            guard state.entries[number]?.state == .open else { return false }
            state.entries[number]?.expiresAt = expiresAt
            return true
        }
    }

    /// Ends reservations whose time is over, at most `limit`, in one shard. Each budget goes by its own rule.
    ///
    /// - Returns: the numbers that ended.
    package func expire(shard index: Int, now: Int64, limit: Int) -> [Int64] {
        shards[index].locked { state in
            var ended: [Int64] = []
            for (number, entry) in state.entries where entry.state == .open && entry.expiresAt <= now {
                ended.append(number)
                if ended.count == limit { break }
            }
            for number in ended {
                guard var entry = state.entries.removeValue(forKey: number) else { continue }
                expireHolds(entry)
                // It stays open towards the ledger: a late commit elsewhere must find its way here.
                if entry.chargedAtExpiry { state.charged.append(number) }
                openCounter.wrappingSubtract(1, ordering: .relaxed)
                entry.state = .expired
                entry.settledAt = now
                state.expired[number] = entry
                state.expiredOrder.append(number)
            }
            Self.forgetExpired(&state, now: now)
            return ended
        }
    }

    /// Drops expired reservations that no late commit may correct any more, or that are too many.
    private static func forgetExpired(_ state: inout ShardState, now: Int64) {
        var count = 0
        for number in state.expiredOrder {
            if let entry = state.expired[number], entry.settledAt + keepSettled > now,
                state.expiredOrder.count - count <= keepExpiredCount
            {
                break
            }
            if state.expired[number]?.reported == true { state.closed.append(number) }
            state.expired[number] = nil
            count += 1
        }
        if count > 0 { state.expiredOrder.removeFirst(count) }
    }

    /// Charges the first hold up to its amount, the next with what is left; the last takes any overrun.
    private func charge(_ entry: Reservation, actual: Amounts) {
        if entry.more.isEmpty {
            end(entry.hold, actual: actual)
            return
        }
        var rest = actual
        let holds = [entry.hold] + entry.more
        for (index, hold) in holds.enumerated() {
            var part = rest
            if index < holds.count - 1 {
                part.tokens = min(rest.tokens, hold.amounts.tokens)
                part.usd = min(rest.usd, hold.amounts.usd)
                part.requests = min(rest.requests, hold.amounts.requests)
            }
            end(hold, actual: part)
            rest.tokens -= part.tokens
            rest.usd -= part.usd
            rest.requests -= part.requests
        }
    }

    @inline(__always)
    private func end(_ hold: ChainHold, actual: Amounts) {
        var leftover = false
        let slots = hold.chain.slots
        for index in slots.indices where !hold.isExempt(index) {
            let lease = slots[index].lease
            if lease.settle(hold: hold.amounts[lease.unit], actual: actual[lease.unit]) { leftover = true }
        }
        if leftover { onLeftover() }
    }

    private func expireHolds(_ entry: Reservation) {
        for hold in [entry.hold] + entry.more {
            for index in hold.chain.slots.indices where !hold.isExempt(index) {
                let slot = hold.chain.slots[index]
                let amount = hold.amounts[slot.lease.unit]
                if slot.lease.settle(hold: amount, actual: slot.rule.abandonedCharges ? amount : 0) { onLeftover() }
            }
        }
    }

    /// Undoes what the expiry charged and charges what was really used instead.
    private func correct(_ entry: Reservation, actual: Amounts) {
        for hold in [entry.hold] + entry.more {
            for index in hold.chain.slots.indices where !hold.isExempt(index) {
                let slot = hold.chain.slots[index]
                let amount = hold.amounts[slot.lease.unit]
                _ = slot.lease.settle(hold: 0, actual: slot.rule.abandonedCharges ? -amount : 0)
                // The hold is zero by now: `charge` below gives back hold - actual, so take the hold again first.
                slot.lease.spendable.wrappingSubtract(amount, ordering: .relaxed)
            }
        }
        charge(entry, actual: actual)
    }

    private func close(_ number: Int64, _ entry: Reservation, _ state: inout ShardState) {
        if entry.reported { state.closed.append(number) }
        openCounter.wrappingSubtract(1, ordering: .relaxed)
    }
}

extension ReservationTable {
    /// Charges a part of an open hold at once (a proxy's lease is used up piece by piece). What exceeds the hold is an
    /// overrun. The rest stays held.
    package func consume(_ number: Int64, _ part: Amounts) -> Bool {
        shard(of: number).locked { state in
            guard var entry = state.entries[number], entry.state == .open else { return false }
            var rest = part
            var holds = [entry.hold] + entry.more
            for place in holds.indices {
                let hold = holds[place]
                let last = place == holds.count - 1
                var left = hold.amounts
                for unit in BudgetUnit.allCases {
                    let charged = last ? rest[unit] : min(rest[unit], hold.amounts[unit])
                    let freed = min(charged, hold.amounts[unit])
                    left[unit] -= freed
                    rest[unit] -= charged
                    for index in hold.chain.slots.indices where !hold.isExempt(index) {
                        let lease = hold.chain.slots[index].lease
                        if lease.unit == unit { _ = lease.settle(hold: freed, actual: charged) }
                    }
                }
                holds[place] = ChainHold(chain: hold.chain, amounts: left, exempt: hold.exempt)
            }
            entry.hold = holds[0]
            entry.more = Array(holds.dropFirst())
            state.entries[number] = entry
            return true
        }
    }
}
