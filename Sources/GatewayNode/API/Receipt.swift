// The facts behind one decision (G10), and the facts that make a reservation id self-describing.

import QuotaCore

/// Why a decision was made: which budget, which version of the rule, which figures. Sealed into the `dec_` id.
package struct Receipt: Sendable, Hashable {
    package var outcome: String
    package var account: String
    package var model: String?
    package var requested: Amounts
    /// ms since 1970, ledger time.
    package var time: Int64
    package var node: String
    package var session: String
    package var rulesVersion: Int64
    package var pricesVersion: Int64
    package var budgets: [BudgetFigures]
}

/// One hold: what a reservation keeps of a lease, in node units.
package struct Hold: Sendable, Hashable {
    package var generation: String
    /// Seconds.
    package var periodStart: Int64
    package var unit: BudgetUnit
    package var amount: Int64
}

/// Everything that a commit anywhere needs to know of a reservation.
package struct ReservationToken: Sendable, Hashable {
    package var session: String
    package var number: Int64
    package var account: String
    package var model: String?
    /// ms since 1970, ledger time.
    package var reservedAt: Int64
    package var rulesVersion: Int64
    package var pricesVersion: Int64
    package var holds: [Hold]
}
