// Leases one level down: a proxy that decides by itself leases from its gateway.

import QuotaCore

/// What a proxy holds of an account's budgets. Amounts in node units, cumulative.
package struct SubLease: Sendable, Hashable {
    package var id: String
    package var account: String
    package var granted: [BudgetUnit: Int64]
    package var used: [BudgetUnit: Int64]
    /// ms since 1970.
    package var expiresAt: Int64
}

package enum LeaseOutcome: Sendable {
    case granted(SubLease)
    case refused(Refusal)
    case unknown
    /// A report that does not fit what was told before; the text says what.
    case conflict(String)
}
