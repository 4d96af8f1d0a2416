// What a session holds of one budget's period: the part of it that requests touch without a lock.

import Synchronization

/// Names a budget's period: a budget that was deleted and made again has another generation.
package struct LeaseKey: Sendable, Hashable, Comparable {
    package let generation: String
    /// Start of the period, seconds since 1970.
    package let start: Int64

    package init(generation: String, start: Int64) {
        self.generation = generation
        self.start = start
    }

    package static func < (a: LeaseKey, b: LeaseKey) -> Bool {
        (a.generation, a.start) < (b.generation, b.start)
    }
}

/// The figures of a budget's period as of one answer of the ledger. Amounts in book units.
package struct LeaseFigures: Sendable, Hashable {
    package var allowance: Int64 = 0
    package var committed: Int64 = 0
    package var spent: Int64 = 0
    package var doubt: Int64 = 0
    /// -1 for soft and shadow budgets.
    package var limit: Int64 = -1
    /// Lowest first; empty for shadow budgets.
    package var ceilings: [Ceiling] = []
    /// Smallest refused need by level of the ladder: a need of at least that much is refused here.
    package var floors: [Int: Int64] = [:]
    /// Count of ceilings reached in this period.
    package var reached: Int = 0
    /// Ledger time of the answer, ms since 1970; 0 when there was none.
    package var asOf: Int64 = 0
    package var granted: Int64 = 0
    package var returned: Int64 = 0

    package init() {}

    /// What may still be granted below a ceiling; nil when nothing bounds it.
    package func free(level: Int) -> Int64? {
        level < ceilings.count ? ceilings[level].amount - committed : nil
    }
}

/// A session's lease of one budget's period.
///
/// Invariant, in node units (nano-dollars for usd): spendable = granted - used - returned - reserved. It holds whenever no
/// shard of the reservation table is locked.
package final class Lease: Sendable {
    package let key: LeaseKey
    package let unit: BudgetUnit
    /// Node units per book unit.
    package let scale: Int64
    /// End of the period, seconds since 1970.
    package let end: Int64

    /// The slice: what requests may take. Below zero after an overrun.
    let spendable = Atomic<Int64>(0)
    /// Charged so far, cumulative, node units.
    let used = Atomic<Int64>(0)
    /// Reserved so far, cumulative: the measure of demand.
    let taken = Atomic<Int64>(0)
    /// The books are above the lowest ceiling: every request must go by the ladder, not by the slice.
    let gated = Atomic<Bool>(false)
    /// Above this the slice holds more than the ledger lets idle; leftovers must go back.
    let idleLimit = Atomic<Int64>(.max)
    let figuresBox = Mutex<LeaseFigures>(LeaseFigures())

    package init(key: LeaseKey, unit: BudgetUnit, end: Int64) {
        self.key = key
        self.unit = unit
        self.end = end
        self.scale = unit.nodeScale
    }

    package var figures: LeaseFigures { figuresBox.withLock { $0 } }
    package var slice: Int64 { spendable.load(ordering: .relaxed) }
    package var charged: Int64 { used.load(ordering: .relaxed) }

    /// Takes an amount when the slice suffices.
    @inline(__always)
    func take(_ amount: Int64) -> Bool {
        if spendable.wrappingSubtract(amount, ordering: .relaxed).newValue >= 0 {
            taken.wrappingAdd(amount, ordering: .relaxed)
            return true
        }
        spendable.wrappingAdd(amount, ordering: .relaxed)
        return false
    }

    /// Undoes `take`.
    @inline(__always)
    func putBack(_ amount: Int64) {
        spendable.wrappingAdd(amount, ordering: .relaxed)
        taken.wrappingSubtract(amount, ordering: .relaxed)
    }

    /// Ends a hold: charges `actual` of it. Returns true when leftovers should go back to the ledger.
    @inline(__always)
    func settle(hold: Int64, actual: Int64) -> Bool {
        if actual != 0 { used.wrappingAdd(actual, ordering: .relaxed) }
        let rest = spendable.wrappingAdd(hold - actual, ordering: .relaxed).newValue
        return rest > idleLimit.load(ordering: .relaxed)
    }
}
