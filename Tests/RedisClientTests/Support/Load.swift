// Callers that ask all the time, and what they saw: each reply must be the caller's own.

import RedisClient
import Synchronization
import Testing
import TopologySupport

final class Load: Sendable {
    struct Counts {
        var isOver = false
        var answered = 0
        var lastAnswer = ContinuousClock.now
        /// The longest time in which nobody was answered.
        var longestGap = Duration.zero
        var misattributed = 0
        /// The outcome is unknown, or nothing was sent.
        var failed = 0
        var unexpected: [RedisError] = []
        /// Numbers that INCR has given, by key.
        var numbers: [String: Set<Int64>] = [:]
        var repeatedNumbers = 0
        /// INCRs of unknown outcome, by key.
        var unknown: [String: Int] = [:]

        mutating func answer() {
            answered += 1
            let now = ContinuousClock.now
            longestGap = max(longestGap, now - lastAnswer)
            lastAnswer = now
        }
    }

    static let echo = RedisScript(name: "echo", source: "redis.call('INCR', KEYS[1]) return ARGV[1]")
    let counts = Mutex(Counts())

    /// Runs `body` while each worker sends, in turn, a script that says its own word and an INCR.
    func run(_ client: RedisClient, keys: [String], workers: Int, _ body: () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for worker in 0..<workers {
                group.addTask { await self.work(client, key: keys[worker % keys.count], worker: worker) }
            }
            do {
                try await body()
            } catch {
                counts.withLock { $0.isOver = true }
                throw error
            }
            counts.withLock { $0.isOver = true }
            try await group.waitForAll()
        }
    }

    /// Waits for so many more answers.
    func answers(more: Int) async throws {
        let goal = counts.withLock { $0.answered } + more
        try await patiently("\(more) more answers") { self.counts.withLock { $0.answered >= goal } }
    }

    private func work(_ client: RedisClient, key: String, worker: Int) async {
        var round = 0
        while !counts.withLock({ $0.isOver }) {
            round += 1
            let word = "\(worker)-\(round)"
            do throws(RedisError) {
                let reply = try await client.eval(Self.echo, keys: [key + ":scripts"], arguments: [word]).string
                counts.withLock { reply == word ? $0.answer() : ($0.misattributed += 1) }
            } catch {
                note(error)
            }
            do throws(RedisError) {
                let number = try await client.send(["INCR", key + ":commands"]).int ?? 0
                counts.withLock { counts in
                    counts.answer()
                    if !counts.numbers[key, default: []].insert(number).inserted { counts.repeatedNumbers += 1 }
                }
            } catch {
                if error.mayHaveExecuted { counts.withLock { $0.unknown[key, default: 0] += 1 } }
                note(error)
            }
        }
    }

    private func note(_ error: RedisError) {
        switch (error.code, error.mayHaveExecuted) {
        case (.connectionClosed, _), (.notConnected, false), (.timeout, _): counts.withLock { $0.failed += 1 }
        case (.server, _) where ["CLUSTERDOWN", "READONLY", "LOADING", "UNKILLABLE"].contains(error.serverCode):
            counts.withLock { $0.failed += 1 }
        default: counts.withLock { $0.unexpected.append(error) }
        }
    }
}
