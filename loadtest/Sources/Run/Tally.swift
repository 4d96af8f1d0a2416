// What the generator itself knows of one account: the other side of the comparison with the books.

import QuotaCore

/// Sums of one account, or of several.
struct Tally: Sendable, Hashable {
    /// Of commits that were answered 200: what the clients used.
    var acknowledgedTokens: Int64 = 0
    /// Of the same commits: what the answers said was charged.
    var acknowledgedNanoDollars: Int64 = 0
    var acknowledgedRequests: Int64 = 0
    /// Of reservations that were admitted and are not settled.
    var openTokens: Int64 = 0
    var openRequests: Int64 = 0
    /// Of calls without an answer: the most that they may have charged.
    var uncertainTokens: Int64 = 0
    var uncertainRequests: Int64 = 0
    /// What commits used beyond their estimates.
    var overrunTokens: Int64 = 0
    /// Rerouted requests, which some budgets above don't count.
    var reroutedRequests: Int64 = 0

    static func + (left: Tally, right: Tally) -> Tally {
        Tally(
            acknowledgedTokens: left.acknowledgedTokens + right.acknowledgedTokens,
            acknowledgedNanoDollars: left.acknowledgedNanoDollars + right.acknowledgedNanoDollars,
            acknowledgedRequests: left.acknowledgedRequests + right.acknowledgedRequests,
            openTokens: left.openTokens + right.openTokens,
            openRequests: left.openRequests + right.openRequests,
            uncertainTokens: left.uncertainTokens + right.uncertainTokens,
            uncertainRequests: left.uncertainRequests + right.uncertainRequests,
            overrunTokens: left.overrunTokens + right.overrunTokens,
            reroutedRequests: left.reroutedRequests + right.reroutedRequests)
    }

    /// Acknowledged, in book parts of the unit; dollars rounded up.
    func acknowledged(in unit: BudgetUnit) -> Int64 {
        switch unit {
        case .tokens: acknowledgedTokens
        case .requests: acknowledgedRequests
        case .usd: unit.bookUnits(roundingUp: acknowledgedNanoDollars)
        }
    }

    /// The holds that are open. In dollars an estimate, from the mean price of the tokens so far, because a
    /// reservation's answer doesn't tell what it holds.
    func openHolds(in unit: BudgetUnit) -> Int64 {
        switch unit {
        case .tokens: openTokens
        case .requests: openRequests
        case .usd: dollars(ofTokens: openTokens)
        }
    }

    /// What calls without an answer may have charged at most; in dollars as `openHolds`.
    func uncertain(in unit: BudgetUnit) -> Int64 {
        switch unit {
        case .tokens: uncertainTokens
        case .requests: uncertainRequests
        case .usd: dollars(ofTokens: uncertainTokens)
        }
    }

    /// What the clients themselves used beyond what they had reserved; in dollars as `openHolds`.
    func overrun(in unit: BudgetUnit) -> Int64 {
        switch unit {
        case .tokens: overrunTokens
        case .requests: 0
        case .usd: dollars(ofTokens: overrunTokens)
        }
    }

    private func dollars(ofTokens tokens: Int64) -> Int64 {
        guard acknowledgedTokens > 0, tokens > 0 else { return 0 }
        let mean = Double(acknowledgedNanoDollars) / Double(acknowledgedTokens)
        return Int64((mean * Double(tokens) / Double(BudgetUnit.usd.nodeScale)).rounded(.up))
    }
}
