// Compares what the clients know with what the books say. A pure function of both, so that every rule can be tested.

import QuotaCore

/// One budget before and after a run, and the clients' side of it.
struct BudgetEvidence: Sendable {
    var before: BookReading
    var after: BookReading
    /// Of all accounts of the run at or below the budget's.
    var tally: Tally
    /// The same at the budget's first `budget_exhausted`; nil when there was none.
    var atFirstDenial: Tally?
    /// The most that the books said may still be overspent, at any reading of the run.
    var exposureAhead: Int64
}

/// What one budget's evidence comes to.
struct BudgetFinding: Sendable {
    var row: LoadReport.Budget
    var broken: [String] = []
    var notes: [String] = []
}

enum Judge {
    /// Books round dollars up to a micro-dollar once per lease; so many leases of one budget are thought of.
    static let roundingMicroDollars: Int64 = 64

    /// - Parameter firstDenialAtLeast: the share below which a first denial is a broken guarantee.
    static func finding(_ evidence: BudgetEvidence, firstDenialAtLeast: Double?) -> BudgetFinding {
        let (before, after, tally) = (evidence.before, evidence.after, evidence.tally)
        let unit = after.unit
        func text(_ amount: Int64) -> String { "\(ReportAmount(amount, unit: unit)) \(unit.rawValue)" }
        let isSamePeriod = before.period == after.period && before.unit == after.unit
        let overspend = max(0, after.spent - after.allowance)
        var share: Double?
        if let denial = evidence.atFirstDenial, after.allowance > 0 {
            let start = isSamePeriod ? before.spent + before.inDoubt : 0
            let used = start + denial.acknowledged(in: unit) + denial.openHolds(in: unit)
            share = Double(used) / Double(after.allowance)
        }
        var finding = BudgetFinding(
            row: LoadReport.Budget(
                account: after.name.account, budget: after.name.budget,
                allowance: ReportAmount(after.allowance, unit: unit), spent: ReportAmount(after.spent, unit: unit),
                acknowledged: ReportAmount(tally.acknowledged(in: unit), unit: unit),
                overspend: ReportAmount(overspend, unit: unit),
                usedAtFirstDenial: share.map { $0.rounded(places: 6) }))

        let overspendBefore = isSamePeriod ? max(0, before.spent - before.allowance) : 0
        let bound = overspendBefore + max(evidence.exposureAhead, tally.overrun(in: unit))
        let rounding = unit == .usd ? roundingMicroDollars : 0
        if after.isEnforced, overspend > bound + rounding {
            finding.broken.append(
                "\(after.name): overspent by \(text(overspend)), at most \(text(bound)) were exposed")
        }
        if let share, let least = firstDenialAtLeast, share < least {
            finding.broken.append(
                "\(after.name): first denied at \((share * 100).text(places: 3)) % of the allowance, not at "
                    + "\((least * 100).text(places: 3)) %")
        }
        if isSamePeriod {
            compare(evidence, rounding: rounding, text: text, into: &finding)
        } else {
            finding.notes.append("\(after.name): the period changed during the run, spent is not compared")
        }
        return finding
    }

    /// Spent is what was acknowledged, to the token; where an answer is missing, or the money of a dead node is in
    /// doubt, it lies between bounds.
    private static func compare(
        _ evidence: BudgetEvidence, rounding: Int64, text: (Int64) -> String, into finding: inout BudgetFinding
    ) {
        let (before, after, tally) = (evidence.before, evidence.after, evidence.tally)
        let acknowledged = tally.acknowledged(in: after.unit)
        let charged = after.spent - before.spent
        let inDoubt = max(0, after.inDoubt - before.inDoubt)
        if tally.reroutedRequests > 0 {
            finding.notes.append("\(after.name): rerouted requests may not count here, spent may be less")
        } else if charged < acknowledged - inDoubt {
            let lost = acknowledged - inDoubt - charged
            finding.broken.append("\(after.name): \(text(lost)) of acknowledged commits are not in the books")
        }
        let most = acknowledged + tally.uncertain(in: after.unit) + rounding
        // Dollars of unanswered calls are only known by a mean price, too rough to accuse anybody.
        let isKnown = after.unit != .usd || tally.uncertainRequests == 0
        if isKnown, charged > most {
            finding.broken.append("\(after.name): \(text(charged - most)) were charged beyond the acknowledged commits")
        }
        if after.leased != 0 {
            finding.notes.append("\(after.name): \(text(after.leased)) were still leased at the end")
        }
    }
}
