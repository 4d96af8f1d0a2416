// Seeds that must hold. A failing one prints how to replay it and what happened last.

import Foundation
import Logging
import RedisClient
import TestSupport
import Testing

@Suite("Simulated runs keep every promise", .serialized)
struct SimulationTests {
    struct Mix: CustomTestStringConvertible {
        var name: String
        var faults: Faults
        var nodes: ClosedRange<Int64> = 3...5
        var testDescription: String { name }
    }
    static let mixes = [
        Mix(name: "nothing fails", faults: []),
        Mix(name: "messages are lost, late and repeated", faults: [.loss]),
        Mix(name: "nodes die and shut down", faults: [.loss, .kill, .close, .lower]),
        Mix(name: "nodes sleep beyond their time to live", faults: [.loss, .pause, .kill]),
        Mix(name: "Redis loses its last second", faults: [.loss, .rollback]),
        Mix(name: "periods end", faults: [.loss, .pause, .close, .period]),
        Mix(name: "links are cut one way, clocks leap", faults: [.loss, .oneWay, .leap]),
        Mix(name: "Redis is full or forgets its scripts", faults: [.loss, .full, .scripts]),
        Mix(name: "a stale replica takes over", faults: [.loss, .stale]),
        Mix(name: "many nodes", faults: [.loss, .kill, .close, .lower], nodes: 20...50),
        Mix(name: "everything fails", faults: .all),
    ]
    private static let environment = ProcessInfo.processInfo.environment
    /// Seeds of one mix run beside each other in so many lanes, each with a server of its own.
    private static let lanes: UInt64 = 2

    @Test("whatever fails", arguments: mixes)
    func seeds(mix: Mix) async throws {
        let first = UInt64(Self.environment["BURSAR_SEED"] ?? "1") ?? 1
        let count = UInt64(Self.environment["BURSAR_SEEDS"] ?? "20") ?? 20
        if let only = Self.environment["BURSAR_MIX"], !only.isEmpty, !mix.name.contains(only) { return }
        Progress.shared.start()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for lane in 0..<min(Self.lanes, count) {
                let seeds = stride(from: first + lane, to: first + count, by: Int(Self.lanes))
                group.addTask { try await Self.run(Array(seeds), mix) }
            }
            try await group.waitForAll()
        }
    }

    private static func run(_ seeds: [UInt64], _ mix: Mix) async throws {
        try await withRedis { server in
            var logger = Logger(label: "simulation")
            logger.logLevel = .error
            var configuration = try RedisConfiguration(url: server.url)
            // Time is simulated; a busy machine is no fault of the run.
            configuration.connectTimeout = .seconds(30)
            configuration.commandTimeout = .seconds(60)
            let client = RedisClient(configuration: configuration, logger: logger)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await client.run() }
                // The connection is up before the first seed begins.
                _ = try await client.send(["PING"])
                for seed in seeds {
                    let report = try await Run.seed(
                        seed, faults: mix.faults, nodes: mix.nodes, redis: client)
                    Progress.shared.add(report, mix: mix.name, isLast: seed == seeds.last)
                    if let violation = report.violation { record(violation, seed, mix, report) }
                }
                group.cancelAll()
            }
        }
    }

    private static func record(_ violation: String, _ seed: UInt64, _ mix: Mix, _ report: RunReport) {
        let lines = environment["BURSAR_TRACE"] == nil ? 30 : 100_000
        Issue.record(
            """
            seed \(seed), \(mix.name): \(violation)
            replay: make simulate SEED=\(seed) SEEDS=1 MIX='\(mix.name)'
            \(report.statistics.sorted { $0.key < $1.key })
            \(report.trace.suffix(lines).joined(separator: "\n"))
            """)
    }
}
