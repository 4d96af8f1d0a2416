// An account's budgets from itself up to the root, with this session's leases: looked up once, kept by reference.

import Synchronization

/// An account on the path to the root.
package struct PathAccount: Sendable, Hashable {
    package var id: String
    /// Reason of an admin's hard block on this account, nil when there is none.
    package var blockReason: String?
    /// Model names or patterns that may be used; nil allows all.
    package var allowedModels: [String]?
    package var archived: Bool

    package init(id: String, blockReason: String? = nil, allowedModels: [String]? = nil, archived: Bool = false) {
        self.id = id
        self.blockReason = blockReason
        self.allowedModels = allowedModels
        self.archived = archived
    }
}

/// One budget of a chain and the lease for its present period.
package struct Slot: Sendable {
    package let rule: BudgetRule
    package let lease: Lease

    package init(rule: BudgetRule, lease: Lease) {
        self.rule = rule
        self.lease = lease
    }
}

/// Everything that decides a request for one account, as of one version of the rules and one set of periods.
///
/// Immutable but for `retired`: a change of rules makes a new chain; open reservations keep the old one.
package final class Chain: Sendable {
    package let account: String
    package let path: [PathAccount]
    package let slots: [Slot]
    /// Start of the latest period on the chain, ms since 1970: a clock that was corrected since may stand before it.
    package let validFrom: Int64
    /// End of the earliest period on the chain, ms since 1970: then a new chain is due.
    package let validUntil: Int64
    /// How old the last answer may be: the least bound on the chain, ms.
    package let stalenessBound: Int64
    package let rulesVersion: Int64
    /// The first block from the account upwards.
    package let block: PathAccount?
    let retiredFlag = Atomic<Bool>(false)

    /// At most this many budgets on one path.
    package static let maximumSlots = 48

    package init(
        account: String, path: [PathAccount], slots: [Slot], rulesVersion: Int64, maxStaleness: Int64
    ) {
        precondition(slots.count <= Self.maximumSlots, "too many budgets on one path")
        self.account = account
        self.path = path
        self.slots = slots
        self.rulesVersion = rulesVersion
        self.validFrom = slots.map { $0.lease.key.start * 1000 }.max() ?? .min
        self.validUntil = slots.map { $0.lease.end * 1000 }.min() ?? .max
        self.stalenessBound =
            slots.map { $0.rule.stalenessBound(maxStaleness: maxStaleness) }.min() ?? maxStaleness
        self.block = path.first { $0.blockReason != nil }
    }

    /// Whether it may decide requests at a ledger time, ms: neither its rules nor its periods have changed.
    package func isCurrent(_ ledgerTime: Int64) -> Bool {
        !retired && validFrom <= ledgerTime && ledgerTime < validUntil
    }

    /// A newer version of the rules is known: look the account up again.
    package var retired: Bool { retiredFlag.load(ordering: .acquiring) }
    package func retire() { retiredFlag.store(true, ordering: .releasing) }
}
