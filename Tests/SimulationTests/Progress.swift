// Tells whoever waits for many seeds how far they are.

import Foundation
import Synchronization

/// Counts of all runs of a process. A line goes to standard error at most once a second, when `BURSAR_PROGRESS` is set.
final class Progress: Sendable {
    private struct Counts {
        var seeds = 0
        var steps = 0
        var violations = 0
        var toldAt = Date.distantPast
    }

    static let shared = Progress()
    private let counts = Mutex(Counts())
    private let started = Date()
    private let isWanted = ProcessInfo.processInfo.environment["BURSAR_PROGRESS"] != nil

    /// Time counts from here.
    func start() {}

    func add(_ report: RunReport, mix: String, isLast: Bool) {
        let line = counts.withLock { counts -> String? in
            counts.seeds += 1
            counts.steps += report.steps
            if report.violation != nil { counts.violations += 1 }
            guard isWanted, isLast || counts.toldAt.timeIntervalSinceNow < -1 else { return nil }
            counts.toldAt = Date()
            let speed = Int(Double(counts.steps) / max(0.001, Date().timeIntervalSince(started)))
            return "\(counts.seeds) seeds done, \(speed) steps/s, \(counts.violations) violations (\(mix))\n"
        }
        if let line { FileHandle.standardError.write(Data(line.utf8)) }
    }
}
