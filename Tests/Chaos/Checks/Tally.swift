// What the clients know of one budget, in tokens, and what that lets the books say. A pure function of what they saw.

/// Sums over the conversations of one budget.
package struct Tally: Sendable, Hashable {
    /// How long a gateway that lives may keep what it counted to itself: one exchange interval of 250 ms, an exchange
    /// that is given up after 1 s, and some time for a busy machine.
    package static let reportTime = Duration.milliseconds(1500)

    /// From the decision to kill until the process is sure to be gone.
    package static let killTime = Duration.milliseconds(100)

    /// Commits answered by 200.
    package var acknowledged: Int64 = 0
    /// What they used beyond their holds; also of those that nobody answered.
    package var overrun: Int64 = 0
    /// Of the acknowledged ones, those whose owner was killed before it is sure to have reported them.
    package var atRisk: Int64 = 0
    /// What of that is beyond the holds: only the hold stays in doubt.
    package var overrunAtRisk: Int64 = 0
    /// Holds that nobody committed, expired by now, of owners that live.
    package var abandoned: Int64 = 0
    /// As above where the owner was killed, or the hold has not expired: charged or not.
    package var perhapsAbandoned: Int64 = 0
    /// Of that, holds of owners that live: charged as soon as they have expired.
    package var expiring: Int64 = 0
    /// Commits that nobody answered, and reserves that a killed gateway may have admitted.
    package var unanswered: Int64 = 0

    package init() {}

    /// - Parameter charges: whether the budget charges what is abandoned.
    package init(
        _ conversations: [Conversation], accounts: Set<String>, deaths: [Death], charges: Bool,
        now: ContinuousClock.Instant
    ) {
        var ends: [Int: [Int: ContinuousClock.Instant]] = [:]
        for death in deaths { ends[death.gateway, default: [:]][death.life] = death.at }
        for story in conversations where accounts.contains(story.account) {
            let end = ends[story.gateway]?[story.life]
            add(story, ownerDied: end, charges: charges, now: now)
        }
    }

    private mutating func add(
        _ story: Conversation, ownerDied end: ContinuousClock.Instant?, charges: Bool, now: ContinuousClock.Instant
    ) {
        let beyond = max(0, story.actual - story.hold)
        switch story.state {
        case .committed(let asked, let at):
            acknowledged += story.actual
            overrun += beyond
            // Who was asked after the death can only have told the ledger.
            if let end, at >= end - Self.reportTime, asked <= end + Self.killTime {
                atRisk += story.actual
                overrunAtRisk += beyond
            }
        case .abandoned(let until):
            guard charges else { return }
            if end == nil, until < now { abandoned += story.hold } else { perhapsAbandoned += story.hold }
            if end == nil, until >= now { expiring += story.hold }
        case .open, .unanswered:
            overrun += beyond
            unanswered += max(story.hold, story.actual)
        case .asked: unanswered += story.hold
        case .released: break
        }
    }

    /// The least that must be spent: all that was acknowledged, or expired, and is sure to have been reported.
    package var least: Int64 { acknowledged - atRisk + abandoned }
    /// The most that may be spent: nothing is counted twice.
    package var most: Int64 { acknowledged + abandoned + perhapsAbandoned + unanswered }
    /// What must be either spent or in doubt.
    package var counted: Int64 { acknowledged - overrunAtRisk + abandoned }
}
