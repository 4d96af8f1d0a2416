// Requests that wait for a grant, and how their waiting ends.

/// A request whose chain of slices did not suffice.
package struct Waiter: Sendable {
    package let id: UInt64
    package var attempt: Attempt
    package let kind: Kind
    /// Monotonic ms.
    package let deadline: Int64
    /// Do not ask before this (a recall is under way).
    var notBefore: Int64 = 0
    /// The ledger has answered at least once: from then on running out of time means exhausted, not out of reach.
    var wasAnswered = false

    package enum Kind: Sendable {
        /// Makes a reservation that expires at a ledger time.
        case reserve(expiresAt: Int64)
        /// Adds a hold to a reservation.
        case extend(number: Int64, expiresAt: Int64)
    }

    package init(id: UInt64, attempt: Attempt, kind: Kind, deadline: Int64) {
        self.id = id
        self.attempt = attempt
        self.kind = kind
        self.deadline = deadline
    }
}

/// Why a request was refused by the core.
package enum RefusalReason: Sendable, Hashable {
    /// The budgets at these places of the chain.
    case exhausted([Int])
    case throttled(retryMilliseconds: Int64)
    case unavailable
    case recovering
    /// The chain is out of date: build it anew and try again.
    case stale
    case overloaded
}

package struct WaiterOutcome: Sendable {
    package enum Result: Sendable {
        /// The number of the reservation.
        case admitted(Int64)
        case refused(RefusalReason)
    }
    package let id: UInt64
    package let attempt: Attempt
    package let result: Result

    package init(id: UInt64, attempt: Attempt, result: Result) {
        self.id = id
        self.attempt = attempt
        self.result = result
    }
}
