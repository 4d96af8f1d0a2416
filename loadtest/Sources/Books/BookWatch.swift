// Reads the books before, during and after the run: G1 must hold at every reading, not only at the end.

import Synchronization

/// What the readings of a run showed.
struct WatchFindings: Sendable {
    /// Readings of one budget that were checked.
    var checks = 0
    /// The first readings whose figures don't add up, in words.
    var violations: [String] = []
    var violationCount = 0
    /// Rounds in which the console gave no books.
    var failures = 0
    /// The most that a budget's books said may still be overspent.
    var exposureAhead: [BudgetName: Int64] = [:]
}

/// Watches the budgets of the run's accounts and of those above.
final class BookWatch: Sendable {
    private static let rememberedViolations = 5

    private let console: ConsoleClient
    /// By account of the options: itself and those above.
    let chains: [[String]]
    private let accounts: [String]
    private let findings = Mutex(WatchFindings())

    /// Looks up which accounts stand above.
    init(console: ConsoleClient, accounts: [String]) async throws {
        self.console = console
        var chains: [[String]] = []
        for account in accounts { chains.append(try await console.chain(of: account)) }
        self.chains = chains
        var seen: Set<String> = []
        self.accounts = chains.joined().filter { seen.insert($0).inserted }
    }

    var found: WatchFindings { findings.withLock { $0 } }

    /// Reads all books once and checks them.
    func read() async throws -> [BookReading] {
        var readings: [BookReading] = []
        for account in accounts { readings += try await console.budgets(of: account) }
        findings.withLock { findings in
            for reading in readings {
                findings.checks += 1
                findings.exposureAhead[reading.name] = max(
                    findings.exposureAhead[reading.name] ?? 0, reading.exposureAhead)
                if !reading.isConserved { Self.note(reading, in: &findings) }
            }
        }
        return readings
    }

    private static func note(_ reading: BookReading, in findings: inout WatchFindings) {
        findings.violationCount += 1
        guard findings.violations.count < rememberedViolations else { return }
        findings.violations.append(
            "\(reading.name) \(reading.period): allowance \(reading.allowance), available \(reading.available), "
                + "spent \(reading.spent), leased \(reading.leased), in doubt \(reading.inDoubt)")
    }

    /// Reads until the task is cancelled. A round that fails is counted; the next one comes.
    func run(every interval: Duration) async {
        while !Task.isCancelled {
            do {
                try await Task.sleep(for: interval)
                _ = try await read()
            } catch {
                if !Task.isCancelled { findings.withLock { $0.failures += 1 } }
            }
        }
    }

    /// Waits until nothing is leased, or what is leased stays the same for `stable`, at most `timeout`.
    ///
    /// - Returns: the last reading.
    func settled(timeout: Duration, stable: Duration) async throws -> [BookReading] {
        let clock = ContinuousClock()
        let deadline = clock.now.advanced(by: timeout)
        var last = try await read()
        var unchangedSince = clock.now
        while last.contains(where: { $0.leased != 0 }), clock.now < deadline,
            unchangedSince.duration(to: clock.now) < stable
        {
            try await Task.sleep(for: .milliseconds(250))
            let next = try await read()
            if next != last { unchangedSince = clock.now }
            last = next
        }
        return last
    }
}
