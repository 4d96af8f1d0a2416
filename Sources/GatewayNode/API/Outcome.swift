// What a node answers: admissions, refusals with their figures, settlements. HTTP gives them their wire form.

import QuotaCore

/// One budget as a node knows it. Amounts are in book units (micro-dollars, tokens, requests).
package struct BudgetFigures: Sendable, Hashable {
    package var account: String
    package var budget: String
    package var unit: BudgetUnit
    package var allowance: Int64
    /// allowance - spent - in doubt, as of `asOf`, less what this node has charged and reserved since.
    package var remaining: Int64
    /// End of the period, ms since 1970.
    package var resetsAt: Int64
    /// Time of the ledger's answer that the figures rest on, ms since 1970.
    package var asOf: Int64
    /// Keys of accounts below may see the figures.
    package var visibleBelow: Bool
    /// Version of the budget's rule.
    package var version: Int64
}

/// Something the caller should know although the request was admitted.
package struct Warning: Sendable, Hashable {
    /// `threshold`, `shadow`, `rerouted`, `throttled`, `unpriced`.
    package var code: String
    package var account: String
    package var budget: String
    package var detail: String
}

/// An admitted request.
package struct Admission: Sendable {
    package enum Decision: String, Sendable { case allow, reroute }
    package var decision: Decision
    /// Identifies the hold. Nil for a dry run. Sealed into the `rsv_` id at the border.
    package var token: ReservationToken?
    package var receipt: Receipt
    /// The model to use; nil when the request named none.
    package var model: String?
    package var account: String
    /// ms since 1970.
    package var expiresAt: Int64
    package var warnings: [Warning]
    /// From the account up to the root.
    package var budgets: [BudgetFigures]
}

/// A refused request, with everything its receipt needs.
package struct Refusal: Sendable, Hashable {
    package enum Code: String, Sendable, CaseIterable {
        case budgetExhausted = "budget_exhausted"
        case throttled
        case runawayStopped = "runaway_stopped"
        case accountBlocked = "account_blocked"
        case modelNotAllowed = "model_not_allowed"
        case unpricedModel = "unpriced_model"
        case ledgerUnavailable = "ledger_unavailable"
        case ledgerRecovering = "ledger_recovering"
        /// The account does not exist or is archived.
        case notFound = "not_found"
        /// Too many requests wait for a grant on this node.
        case overloaded = "overloaded"
    }
    package var code: Code
    package var detail: String
    package var receipt: Receipt
    package var account: String
    package var requested: Amounts
    package var refusedBy: [BudgetFigures]
    /// Seconds, for Retry-After; nil where waiting does not help.
    package var retryAfter: Int64?
    /// Output tokens that would have fit, when the estimate was in tokens and some would.
    package var fitsOutputTokens: Int64?
    /// The account where the block stands (for `accountBlocked`), which the caller may not be allowed to see.
    package var blockedAt: String?
}

package enum ReservationOutcome: Sendable {
    case admitted(Admission)
    case refused(Refusal)
}

/// How a commit, release or direct charge ended.
package enum SettlementOutcome: Sendable, Hashable {
    /// Charged. `charged` is in node units (usd in nano-dollars). `repeated`: this is the first answer again.
    case committed(charged: Amounts, late: Bool, overrun: Bool, repeated: Bool)
    /// Accepted by nobody yet: the owner is past its deadline and the ledger is out of reach. Repeat it.
    case pending
    case released
    /// Released before (or committed before, for a release).
    case conflict(String)
    /// Not an id of this organisation, or too old to be known.
    case unknown
    case refused(Refusal)
}

/// What is known of a reservation.
package struct ReservationStatus: Sendable {
    package enum State: String, Sendable { case open, committed, released, expired, unknown }
    package var token: ReservationToken
    package var state: State
    package var expiresAt: Int64?
    package var charged: Amounts?
}

/// What this node knows of an account.
package struct AccountSnapshot: Sendable {
    package struct Slice: Sendable {
        package var figures: BudgetFigures
        package var state: String
        /// Book units.
        package var granted: Int64
        package var used: Int64
        package var reserved: Int64
        package var available: Int64
    }
    package var account: String
    package var path: [String]
    package var blockedReason: String?
    package var version: Int64
    package var slices: [Slice]
}
