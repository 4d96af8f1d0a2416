// What a drill has found: how fast changes reach the last gateway.

import Histogram

/// The report of `block-drill` and `raise-drill`. Figures that the scenario does not measure are left out of its JSON.
package struct DrillReport: Sendable, Codable {
    /// Microseconds over all rounds, with three significant digits.
    package struct Spread: Sendable, Hashable, Codable {
        package var p50: UInt64
        package var p90: UInt64
        package var p99: UInt64
        package var max: UInt64

        /// - Returns: nil without a value.
        init?(_ histogram: Histogram<UInt64>) {
            guard histogram.totalCount > 0 else { return nil }
            p50 = histogram.valueAtPercentile(50)
            p90 = histogram.valueAtPercentile(90)
            p99 = histogram.valueAtPercentile(99)
            max = histogram.max
        }
    }

    package var scenario: String
    package var gateways: Int
    /// Rounds that were measured to their end.
    package var rounds: Int
    /// From the console's answer to a block until the last gateway's first refusal had arrived.
    package var block: Spread?
    /// From the console's answer to the end of a block until the last gateway's first admission had arrived.
    package var unblock: Spread?
    /// From the console's answer to a raise until the last gateway's first admission had arrived.
    package var raise: Spread?
    /// How long the console itself took for the change that is measured.
    package var console: Spread?
    /// Rounds in which a request that was sent after the console's answer to a block was still admitted.
    package var lateAdmissions: Int?
    /// In those rounds, from the console's answer until the last such request was sent.
    package var lastLateAdmission: Spread?
    /// Admissions by a gateway that had refused already in the same block.
    package var admittedAfterRefusal: Int?
    /// Questions that were answered by an admission or an expected refusal.
    package var probes: Int
    /// All other answers, by their code.
    package var otherAnswers: [String: Int]
    package var verdict: Verdict

    private enum CodingKeys: String, CodingKey {
        case scenario, gateways, rounds, probes, verdict
        case block = "block_us"
        case unblock = "unblock_us"
        case raise = "raise_us"
        case console = "console_us"
        case lateAdmissions = "late_admissions"
        case lastLateAdmission = "last_late_admission_us"
        case admittedAfterRefusal = "admitted_after_refusal"
        case otherAnswers = "other_answers"
    }

    /// Several lines, the last one the verdict.
    package var text: String {
        var lines = ["\(scenario): \(rounds) rounds, \(gateways) gateways, \(probes) answers"]
        func row(_ name: String, _ text: String) {
            lines.append(name + String(repeating: " ", count: Swift.max(1, 12 - name.count)) + text)
        }
        func row(_ name: String, _ spread: Spread?) {
            guard let spread else { return }
            row(name, "p50 \(spread.p50) us, p90 \(spread.p90) us, p99 \(spread.p99) us, max \(spread.max) us")
        }
        row("block", block)
        row("unblock", unblock)
        row("raise", raise)
        row("console", console)
        if let lateAdmissions {
            row("late", "admissions sent after the console's answer in \(lateAdmissions) rounds")
            row("last sent", lastLateAdmission)
        }
        if !otherAnswers.isEmpty {
            let list = otherAnswers.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
            row("others", list.joined(separator: ", "))
        }
        row("verdict", verdict.isFine ? verdict.description : "BROKEN")
        for reason in verdict.broken { row("", reason) }
        return lines.joined(separator: "\n") + "\n"
    }
}
