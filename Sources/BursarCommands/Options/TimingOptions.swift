// The times of a node's session. What they must be to each other is checked here, before anything runs.

import ArgumentParser
import QuotaCore

struct TimingOptions: ParsableArguments {
    @Option(name: .long, help: "Between two messages to the ledger.")
    var exchangeInterval = TimeSpan(.milliseconds(250))

    @Option(name: .long, help: "After this without a message a node counts as dead.")
    var sessionTTL = TimeSpan(.seconds(3))

    @Option(name: .long, help: "How old the ledger's last answer may be for budgets that deny in outages.")
    var maxStaleness = TimeSpan(.seconds(5))

    @Option(name: .long, help: "How long the ledger's recall of slices may take.")
    var recallWait = TimeSpan(.milliseconds(50))

    func timing() throws -> SessionTiming {
        var timing = SessionTiming()
        timing.interval = try Self.check(exchangeInterval, 10...60_000, "--exchange-interval")
        timing.quietInterval = max(timing.interval, min(timing.quietInterval, sessionTTL.milliseconds / 3))
        timing.timeToLive = try Self.check(sessionTTL, 100...600_000, "--session-ttl")
        timing.maxStaleness = try Self.check(maxStaleness, 100...600_000, "--max-staleness")
        timing.recallWait = try Self.check(recallWait, 1...10_000, "--recall-wait")
        guard timing.timeToLive >= timing.interval * 3 else {
            throw CommandError(.usage, "--session-ttl must be at least three times --exchange-interval")
        }
        return timing
    }

    private static func check(_ span: TimeSpan, _ range: ClosedRange<Int64>, _ name: String) throws -> Int64 {
        guard range.contains(span.milliseconds) else {
            throw CommandError(.usage, "\(name) is from \(range.lowerBound) to \(range.upperBound) ms")
        }
        return span.milliseconds
    }
}
