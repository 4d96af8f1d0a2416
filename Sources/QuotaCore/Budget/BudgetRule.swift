// What a node must know of a budget to decide; figures come with leases.

/// What a node may do while the ledger is out of reach.
package enum OutageRule: Sendable, Hashable {
    /// Admit only while the last answer is younger than `max_staleness`.
    case deny
    /// Spend what was leased for so many seconds.
    case spendLeases(seconds: Int64)
    /// As above, and an emergency amount (book units) divided among the sessions.
    case allow(seconds: Int64, amount: Int64)
}

/// The rule of one budget, as of one version.
package struct BudgetRule: Sendable, Hashable {
    package var account: String
    package var name: String
    package var generation: String
    package var unit: BudgetUnit
    package var shadow: Bool
    /// In order of `at`.
    package var steps: [LadderStep]
    package var outage: OutageRule
    /// An abandoned reservation charges its hold; otherwise it is released.
    package var abandonedCharges: Bool
    package var visibleBelow: Bool
    package var version: Int64

    package init(
        account: String, name: String, generation: String, unit: BudgetUnit, shadow: Bool = false,
        steps: [LadderStep] = [LadderStep(at: 10_000, kind: .block)], outage: OutageRule = .spendLeases(seconds: 30),
        abandonedCharges: Bool = true, visibleBelow: Bool = false, version: Int64 = 1
    ) {
        self.account = account
        self.name = name
        self.generation = generation
        self.unit = unit
        self.shadow = shadow
        self.steps = steps
        self.outage = outage
        self.abandonedCharges = abandonedCharges
        self.visibleBelow = visibleBelow
        self.version = version
    }

    /// How old the last answer may be while requests are admitted, in milliseconds.
    package func stalenessBound(maxStaleness: Int64) -> Int64 {
        switch outage {
        case .deny: maxStaleness
        case .spendLeases(let seconds), .allow(let seconds, _): seconds * 1000
        }
    }
}
