// What the session machine keeps of one lease beside the slice itself.

import Synchronization

struct LeaseState {
    let lease: Lease
    var granted: Int64 = 0
    var returned: Int64 = 0
    /// As of the newest acknowledged report.
    var toldUsed: Int64 = -1
    var toldReturned: Int64 = -1
    /// Units per second, smoothed.
    var rate: Double = 0
    var takenBefore: Int64 = 0
    var lastUse: Int64
    /// Book units the ledger lets idle.
    var slack: Int64 = .max
    /// Newest recall round seen, and the one that was answered.
    var recall: Int64 = 0
    var answered: Int64 = 0
    /// The lease must be in the next message whatever it says (figures wanted, history changed).
    var mustTell = true
    /// Node units lent locally while the ledger is out of reach.
    var emergency: Int64 = 0
    /// Since when, and in which history, the ledger has known everything about this finished lease.
    var clean: (since: Int64, history: String)?

    init(lease: Lease, now: Int64) {
        self.lease = lease
        self.lastUse = now
    }

    /// Charged so far in book units, rounded up once, on the cumulative counter.
    var usedInBook: Int64 {
        let used = max(0, lease.charged)
        return (used + lease.scale - 1) / lease.scale
    }

    /// Whole book units that nobody holds.
    var idleInBook: Int64 { max(0, (lease.slice - emergency) / lease.scale) }

    /// Node units held by reservations.
    var reserved: Int64 {
        (granted - returned) * lease.scale + emergency - lease.charged - lease.slice
    }

    var isDirty: Bool { mustTell || usedInBook != toldUsed || returned != toldReturned || recall > answered }

    /// Two seconds of demand in book units.
    var demand: Int64 { Int64((rate * 2 / Double(lease.scale)).rounded(.up)) }

    /// Takes up to `amount` book units out of the slice, to be returned. Races with admission, which may win.
    mutating func giveBack(_ amount: Int64) {
        guard amount > 0 else { return }
        let units = amount * lease.scale
        if lease.spendable.wrappingSubtract(units, ordering: .relaxed).newValue < emergency {
            lease.spendable.wrappingAdd(units, ordering: .relaxed)
        } else {
            returned += amount
        }
    }

    /// Follows the demand since the last report.
    mutating func measure(elapsed: Int64, now: Int64) {
        let taken = lease.taken.load(ordering: .relaxed)
        let delta = max(0, taken - takenBefore)
        takenBefore = taken
        if delta > 0 { lastUse = now }
        guard elapsed > 0 else { return }
        let instant = Double(delta) * 1000 / Double(max(elapsed, 250))
        let weight = min(1, Double(elapsed) / 2000)
        // Rises at once, falls smoothly.
        rate = max(instant, rate + (instant - rate) * weight)
    }
}
