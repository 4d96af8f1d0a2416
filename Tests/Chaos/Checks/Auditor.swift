// Reads the books through the console, all the time for G1 and the doubt, and when all is quiet against the clients.

import BursarCommands
import NIOHTTP1
import ProcessSupport
import Synchronization

final class Auditor: Sendable {
    /// One budget and whose reservations are charged to it.
    private struct Scope {
        var account: String
        var accounts: Set<String>
        var charges: Bool
    }

    private struct State {
        var tight: [String] = []
        var doubt = DoubtWatch()
        var readings = 0
        var broken: [String] = []
    }

    private static let mostBroken = 20
    private static let settleTime = Duration.seconds(20)
    /// A session lives for 3 s after its last message. Until then the money of a killed gateway is leased, not in doubt,
    /// and what others took for it is not booked.
    private static let sessionLife = Duration.seconds(4)

    private let stack: Stack
    private let record: ClientRecord
    private let state = Mutex(State())

    init(_ stack: Stack, _ record: ClientRecord) { (self.stack, self.record) = (stack, record) }

    var doubt: DoubtWatch { state.withLock { $0.doubt } }
    var readings: Int { state.withLock { $0.readings } }
    /// What the readings in between showed.
    var broken: [String] { state.withLock { $0.broken } }

    func add(tight account: String) { state.withLock { $0.tight.append(account) } }

    /// Reads until cancelled. The console is out of reach while Redis is: then there is nothing to read.
    func watch() async {
        while !Task.isCancelled {
            if let books = try? await read() {
                for reading in books where !reading.addsUp {
                    state.withLock { state in
                        guard state.broken.count < Self.mostBroken else { return }
                        state.broken.append("G1 \(reading.account): \(reading)")
                    }
                }
            }
            try? await Task.sleep(for: .milliseconds(200))
        }
    }

    /// Waits until the books know all that the clients know, then compares. Nobody may be asking for anything.
    ///
    /// - Returns: what is wrong, and how long the books took.
    func check(isOver: Bool = false) async throws -> (finding: Finding, settled: Duration) {
        let start = ContinuousClock.now
        let deadline = start + Self.settleTime
        var settled: ContinuousClock.Instant?
        while ContinuousClock.now < deadline {
            if let books = try? await read(), isComplete(books, isOver: isOver) {
                settled = settled ?? .now
                // What is counted twice might come a moment later.
                if let settled, ContinuousClock.now - settled > .milliseconds(600) { break }
            } else {
                settled = nil
            }
            try await Task.sleep(for: .milliseconds(100))
        }
        var finding = Finding()
        let books = try await read()
        for (reading, scope) in zip(books, scopes()) {
            finding.merge(
                Judge.finding(reading, tally(scope), isOver: isOver, mayDoubt: !record.deaths.isEmpty))
        }
        finding.broken += try await addedAnew()
        return (finding, (settled ?? .now) - start)
    }

    private func isComplete(_ books: [Reading], isOver: Bool) -> Bool {
        if let last = record.deaths.last, ContinuousClock.now - last.at < Self.sessionLife { return false }
        return zip(books, scopes()).allSatisfy { reading, scope in
            let tally = tally(scope)
            // A hold that expires after all goodbyes is charged with the next exchange of anyone, and there is none.
            return tally.expiring == 0 && reading.spent >= tally.least && (!isOver || reading.leased == 0)
        }
    }

    /// What the console finds when it makes the sums of all books anew from their leases.
    private func addedAnew() async throws -> [String] {
        let answer = try await stack.consoleAnswer(.GET, "/api/v1/check?limit=200")
        guard answer.status == 200, let items = answer.body["items"]?.items else {
            throw ChaosFailure("the console does not check its books: \(answer)")
        }
        return items.flatMap { item in
            (item["violations"]?.items ?? []).map { "G1 \(item["account"]?.text ?? ""): \($0.compact)" }
        }
    }

    private func tally(_ scope: Scope) -> Tally {
        Tally(
            record.conversations, accounts: scope.accounts, deaths: record.deaths, charges: scope.charges,
            now: .now - .seconds(1))
    }

    private func scopes() -> [Scope] {
        let tight = state.withLock { $0.tight }
        return [
            Scope(account: "engineering", accounts: Set(["search"] + tight), charges: true),
            Scope(account: "research", accounts: ["lab"], charges: false),
        ] + tight.map { Scope(account: $0, accounts: [$0], charges: true) }
    }

    /// In the order of the scopes.
    private func read() async throws -> [Reading] {
        var readings: [Reading] = []
        for scope in scopes() {
            let answer = try await stack.consoleAnswer(.GET, "/api/v1/accounts/\(scope.account)/budgets/tokens")
            guard let live = answer.body["live"] else { throw ChaosFailure("no books: \(answer)") }
            readings.append(try Reading(scope.account, live))
        }
        let inDoubt = readings.prefix(2).reduce(0) { $0 + $1.inDoubt }
        state.withLock { state in
            state.readings += readings.count
            state.doubt.see(inDoubt)
        }
        return readings
    }
}
