// The policy ladder as the books show it: ceilings that a grant never crosses.

/// What happens when a request no longer fits below a ceiling.
package enum StepKind: String, Sendable, Hashable, Codable {
    case warn, reroute, throttle, block
}

/// One step of a budget's policy that binds: `reroute`, `throttle` or `block` at an amount.
package struct Ceiling: Sendable, Hashable {
    /// Book units.
    package var amount: Int64
    package var kind: StepKind
    /// Requests per minute, cluster-wide; only for `throttle`.
    package var rate: Int64?

    package init(amount: Int64, kind: StepKind, rate: Int64? = nil) {
        self.amount = amount
        self.kind = kind
        self.rate = rate
    }
}

/// One step of a budget's rule: a fraction of the allowance in 1/10,000 and what it does.
package struct LadderStep: Sendable, Hashable {
    package var at: Int64
    package var kind: StepKind
    /// Requests per minute; only for `throttle`.
    package var rate: Int64?
    /// The model to use instead; only for `reroute`.
    package var model: String?

    package init(at: Int64, kind: StepKind, rate: Int64? = nil, model: String? = nil) {
        self.at = at
        self.kind = kind
        self.rate = rate
        self.model = model
    }

    /// The step's amount for an allowance, rounded down.
    package func amount(of allowance: Int64) -> Int64 {
        guard allowance > 0 else { return 0 }
        let (whole, rest) = allowance.quotientAndRemainder(dividingBy: 10_000)
        return whole * at + rest * at / 10_000
    }
}
