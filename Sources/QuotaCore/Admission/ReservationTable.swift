// The open reservations of one session, in shards, so that threads rarely meet. Admission and settlement happen here.

import Synchronization

/// The reservations of one session and the only code that moves money between slices and holds.
///
/// Every operation holds the lock of one shard from its first change to its last; `exclusively` holds all of them. So a
/// report made exclusively sees `used`, the open numbers and `next` of one moment: a number below `next` that is not open
/// has been counted in `used`, and none that is open has.
package final class ReservationTable: Sendable {
    static let shardBits: Int64 = 4
    static let shardCount = 1 << Int(shardBits)
    /// A late commit may correct the charge of an expired reservation for this long, ms.
    static let keepSettled: Int64 = 600_000
    /// Answers kept for repeats, and expired reservations kept for late commits, a shard.
    static let keepSettledCount = 4_096
    static let keepExpiredCount = 8_192

    let shards: [Shard]
    /// Higher part of the next number; read and raised only under a shard's lock.
    let counter = Atomic<Int64>(1)
    let turn = Atomic<Int>(0)
    /// Told when leftovers wait to go back. Called under a shard's lock: must not block.
    let onLeftover: @Sendable () -> Void
    let openCounter = Atomic<Int>(0)

    package init(onLeftover: @escaping @Sendable () -> Void = {}) {
        self.shards = (0..<Self.shardCount).map { _ in Shard() }
        self.onLeftover = onLeftover
    }

    package var openCount: Int { openCounter.load(ordering: .relaxed) }

    /// Takes the hold from every slice of the chain, all or none, and gives the reservation its number.
    ///
    /// - Returns: nil when some slice does not suffice or its budget is above a ceiling; then nothing changed.
    package func admit(_ hold: ChainHold, expiresAt: Int64, model: String?) -> Int64? {
        let index = turn.wrappingAdd(1, ordering: .relaxed).newValue & (Self.shardCount - 1)
        return shards[index].locked { state -> Int64? in
            guard Self.takeAll(hold, respectGate: true) else { return nil }
            return insert(Reservation(hold: hold, expiresAt: expiresAt, model: model), index, &state)
        }
    }

    /// As `admit`, for a hold whose money has just been granted; the caller holds all locks.
    func admitExclusively(_ hold: ChainHold, expiresAt: Int64, model: String?) -> Int64? {
        guard Self.takeAll(hold, respectGate: false) else { return nil }
        return insert(Reservation(hold: hold, expiresAt: expiresAt, model: model), 0, &shards[0].state)
    }

    /// Whether the slices would suffice at this moment (dry run).
    package func wouldAdmit(_ hold: ChainHold) -> Bool {
        shards[0].locked { _ in
            guard Self.takeAll(hold, respectGate: true) else { return false }
            Self.putBackAll(hold, count: hold.chain.slots.count)
            return true
        }
    }

    private func insert(_ reservation: Reservation, _ index: Int, _ state: inout ShardState) -> Int64 {
        let number =
            counter.wrappingAdd(1, ordering: .relaxed).oldValue << Self.shardBits | Int64(index)
        state.entries[number] = reservation
        state.fresh.append(number)
        openCounter.wrappingAdd(1, ordering: .relaxed)
        return number
    }

    /// All or none.
    static func takeAll(_ hold: ChainHold, respectGate: Bool) -> Bool {
        let slots = hold.chain.slots
        for index in slots.indices where !hold.isExempt(index) {
            let lease = slots[index].lease
            let amount = hold.amounts[lease.unit]
            if (respectGate && lease.gated.load(ordering: .relaxed)) || !lease.take(amount) {
                putBackAll(hold, count: index)
                return false
            }
        }
        return true
    }

    static func putBackAll(_ hold: ChainHold, count: Int) {
        for index in 0..<count where !hold.isExempt(index) {
            let lease = hold.chain.slots[index].lease
            lease.putBack(hold.amounts[lease.unit])
        }
    }

    /// A reservation that is open, or ended lately.
    package func reservation(_ number: Int64) -> Reservation? {
        shard(of: number).locked { state in
            if let entry = state.entries[number] ?? state.expired[number] { return entry }
            guard let answer = state.settled.find(number) else { return nil }
            var entry = Reservation(hold: Self.noHold, expiresAt: answer.at, model: nil)
            entry.state = answer.released ? .released : .committed
            entry.charged = answer.charged
            return entry
        }
    }

    private static let noHold = ChainHold(
        chain: Chain(account: "", path: [], slots: [], rulesVersion: 0, maxStaleness: 0), amounts: .zero)

    func shard(of number: Int64) -> Shard { shards[Int(number & Int64(Self.shardCount - 1))] }

    /// Runs `body` while no reservation can be made or ended.
    func exclusively<Result>(_ body: () -> Result) -> Result {
        for shard in shards { shard.lock._unsafeLock() }
        defer { for shard in shards.reversed() { shard.lock._unsafeUnlock() } }
        return body()
    }

    /// Every number below it is open or was counted. Only exact while held exclusively.
    var next: Int64 { counter.load(ordering: .relaxed) << Self.shardBits }
}

/// One shard's reservations.
struct ShardState {
    /// Open reservations.
    var entries: [Int64: Reservation] = [:]
    /// Ended by their time to live, for as long as a late commit may correct the charge.
    var expired: [Int64: Reservation] = [:]
    var expiredOrder: [Int64] = []
    /// Committed and released ones, to answer repeats.
    var settled = SettledRing(capacity: ReservationTable.keepSettledCount)
    /// Numbers made since the last report, and told ones that ended since.
    var fresh: [Int64] = []
    var closed: [Int64] = []
    /// Numbers whose hold was charged at their expiry since the last report.
    var charged: [Int64] = []
}

/// A shard and its lock.
///
/// Unchecked: `state` is touched only inside `locked`, or by code that holds all locks through `exclusively`. A `Mutex`
/// around the state, with its scoped access, could not hold all shards at once; hence the explicit lock and unlock.
final class Shard: @unchecked Sendable {
    let lock = Mutex<Void>(())
    var state = ShardState()

    @inline(__always)
    func locked<Result>(_ body: (inout ShardState) -> Result) -> Result {
        lock._unsafeLock()
        defer { lock._unsafeUnlock() }
        return body(&state)
    }
}
