// The figures of all rounds, as they come in.

import Histogram

/// What a drill collects.
struct DrillFigures: Sendable {
    /// Beyond this everything counts as this: an hour.
    private static let maximumMicroseconds: UInt64 = 3_600_000_000

    private(set) var rounds = 0
    private(set) var lateAdmissions = 0
    private(set) var admittedAfterRefusal = 0
    private var block = Self.histogram()
    private var unblock = Self.histogram()
    private var raise = Self.histogram()
    private var console = Self.histogram()
    private var lastLateAdmission = Self.histogram()
    var broken: [String] = []

    mutating func add(block: Turn.Figures, unblock: Turn.Figures, console: Duration) {
        rounds += 1
        Self.record(block.last, in: &self.block)
        Self.record(unblock.last, in: &self.unblock)
        Self.record(console, in: &self.console)
        admittedAfterRefusal += block.relapses
        if let late = block.lastSentTooLate {
            lateAdmissions += 1
            Self.record(late, in: &lastLateAdmission)
        }
    }

    mutating func add(raise: Turn.Figures, console: Duration) {
        rounds += 1
        Self.record(raise.last, in: &self.raise)
        Self.record(console, in: &self.console)
    }

    func report(_ options: LoadOptions, board: ProbeBoard) -> DrillReport {
        var broken = broken
        if admittedAfterRefusal > 0 {
            broken.append(
                "\(admittedAfterRefusal) requests were admitted by gateways that had refused in the same block")
        }
        let isBlock = options.scenario == .blockDrill
        return DrillReport(
            scenario: options.scenario.rawValue, gateways: options.gateways.count, rounds: rounds, block: .init(block),
            unblock: .init(unblock), raise: .init(raise), console: .init(console),
            lateAdmissions: isBlock ? lateAdmissions : nil, lastLateAdmission: .init(lastLateAdmission),
            admittedAfterRefusal: isBlock ? admittedAfterRefusal : nil, probes: board.probes,
            otherAnswers: board.others, verdict: Verdict(broken: broken))
    }

    private static func histogram() -> Histogram<UInt64> {
        Histogram<UInt64>(highestTrackableValue: maximumMicroseconds)
    }

    private static func record(_ duration: Duration, in histogram: inout Histogram<UInt64>) {
        histogram.record(min(duration.inMicroseconds, maximumMicroseconds))
    }
}
