// A reservation as its owner keeps it, from the hold to the answer that a repeated commit gets.

/// A hold on the slices of one chain. Budgets whose bit is set in `exempt` rerouted the request and hold nothing.
package struct ChainHold: Sendable {
    package let chain: Chain
    package let amounts: Amounts
    package let exempt: UInt64

    package init(chain: Chain, amounts: Amounts, exempt: UInt64 = 0) {
        self.chain = chain
        self.amounts = amounts
        self.exempt = exempt
    }

    @inline(__always)
    package func isExempt(_ index: Int) -> Bool { exempt & (1 << UInt64(index)) != 0 }
}

package enum ReservationState: UInt8, Sendable {
    case open, committed, released
    /// Ended by its time to live: charged or released, each budget after its own rule.
    case expired
}

/// One reservation of this session.
package struct Reservation: Sendable {
    package var hold: ChainHold
    /// Further holds: an `extend` after the end of a period is a second hold in the present one.
    package var more: [ChainHold] = []
    /// Ledger time, ms.
    package var expiresAt: Int64
    package var model: String?
    package var state: ReservationState = .open
    /// What was charged when it ended, node units.
    package var charged: Amounts = .zero
    /// Ledger time of the end, ms.
    package var settledAt: Int64 = 0
    /// The ledger may know it as open: its end must be told.
    var reported = false

    package init(hold: ChainHold, expiresAt: Int64, model: String?) {
        self.hold = hold
        self.expiresAt = expiresAt
        self.model = model
    }

    /// Whether its end by time charges the hold: on any of its budgets.
    var chargedAtExpiry: Bool {
        ([hold] + more).contains { hold in
            hold.chain.slots.indices.contains { !hold.isExempt($0) && hold.chain.slots[$0].rule.abandonedCharges }
        }
    }

    /// All that is held, over all periods.
    package var total: Amounts {
        more.reduce(into: hold.amounts) { sum, next in
            sum.tokens += next.amounts.tokens
            sum.usd += next.amounts.usd
            sum.requests += next.amounts.requests
        }
    }
}

/// How a settlement at the owner ended.
package enum Settlement: Sendable, Hashable {
    case done(charged: Amounts, late: Bool, overrun: Bool, repeated: Bool)
    case released(repeated: Bool)
    /// It had ended the other way.
    case conflict(ReservationState)
    /// Not a reservation of this table, or forgotten since.
    case unknown
}
