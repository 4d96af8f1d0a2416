// Puts everything that a run has collected into its report.

import Histogram
import QuotaCore

/// What a run has collected.
struct Summary: Sendable {
    var options: LoadOptions
    var planned: Int
    /// Whether the whole plan was sent.
    var isComplete: Bool
    var elapsed: Duration
    var state: Scoreboard.State
    var commands: Int64?
    /// By account: itself and those above.
    var chains: [[String]]
    var before: [BookReading]
    var after: [BookReading]
    var watch: WatchFindings?

    func report() -> LoadReport {
        let counts = state.counts
        let findings = evidence.map { Judge.finding($0, firstDenialAtLeast: options.firstDenialAtLeast) }
        var broken = findings.flatMap(\.broken)
        var notes = findings.flatMap(\.notes)
        if let watch, watch.violationCount > 0 {
            let examples = watch.violations.joined(separator: ", ")
            broken.append("G1 was violated in \(watch.violationCount) readings: \(examples)")
        }
        if counts.unacknowledgedTotal > 0 {
            let reasons = counts.unacknowledged.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
            broken.append(
                "\(counts.unacknowledgedTotal) commits were never acknowledged (\(reasons.joined(separator: ", ")))")
        }
        if counts.wrongCharges > 0 {
            broken.append("\(counts.wrongCharges) commits were charged other tokens than they reported")
        }
        if !isComplete {
            broken.append("the time limit stopped the run after \(counts.sent) of \(planned) requests")
        }
        if counts.decisions == 0 { broken.append("no request was decided") }
        for name in Set(before.map(\.name)).subtracting(after.map(\.name)).sorted() {
            notes.append("\(name): the books were gone at the end")
        }
        let seconds = counts.lastDecision.inSeconds
        var report = LoadReport(
            decisionsPerSecond: seconds > 0 ? (Double(counts.decisions) / seconds).rounded(places: 1) : 0,
            latency: LoadReport.Latency(
                p50: state.decisionLatency.valueAtPercentile(50), p99: state.decisionLatency.valueAtPercentile(99)),
            denials: counts.denials,
            redisCommandsPerDecision: commands.flatMap { commands in
                counts.decisions > 0 ? (Double(commands) / Double(counts.decisions)).rounded(places: 6) : nil
            },
            budgets: findings.map(\.row), g1: watch.flatMap { $0.checks > 0 ? $0.violationCount == 0 : nil },
            verdict: Verdict(broken: broken))
        report.details.scenario = options.scenario.rawValue
        report.details.gateways = options.gateways.count
        report.details.accounts = options.accounts.count
        report.details.planned = planned
        report.details.elapsed = elapsed
        report.details.counts = counts
        report.details.slowestMicroseconds = state.decisionLatency.max
        report.details.commitP50Microseconds = state.commitLatency.valueAtPercentile(50)
        report.details.commitP99Microseconds = state.commitLatency.valueAtPercentile(99)
        report.details.booksChecked = watch?.checks ?? 0
        report.details.booksFailed = watch?.failures ?? 0
        report.details.notes = notes
        return report
    }

    /// Of every budget that could be read before and after.
    private var evidence: [BudgetEvidence] {
        let earlier = Dictionary(before.map { ($0.name, $0) }) { first, _ in first }
        return after.compactMap { reading in
            guard let before = earlier[reading.name] else { return nil }
            return BudgetEvidence(
                before: before, after: reading, tally: sum(state.tallies, under: reading.name.account),
                atFirstDenial: state.firstDenials[reading.name].map { sum($0.tallies, under: reading.name.account) },
                exposureAhead: watch?.exposureAhead[reading.name] ?? 0)
        }
    }

    private func sum(_ tallies: [Tally], under account: String) -> Tally {
        zip(tallies, chains).reduce(Tally()) { $1.1.contains(account) ? $0 + $1.0 : $0 }
    }
}
