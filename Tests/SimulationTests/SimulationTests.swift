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
        var testDescription: String { name }
    }
    static let mixes = [
        Mix(name: "nothing fails", faults: []),
        Mix(name: "messages are lost, late and repeated", faults: [.loss]),
        Mix(name: "nodes die and shut down", faults: [.loss, .kill, .close, .lower]),
        Mix(name: "nodes sleep beyond their time to live", faults: [.loss, .pause, .kill]),
        Mix(name: "Redis loses its last second", faults: [.loss, .rollback]),
        Mix(name: "everything fails", faults: .all),
    ]

    @Test("whatever fails", arguments: mixes)
    func seeds(mix: Mix) async throws {
        let environment = ProcessInfo.processInfo.environment
        let first = UInt64(environment["BURSAR_SEED"] ?? "1") ?? 1
        let count = UInt64(environment["BURSAR_SEEDS"] ?? "6") ?? 6
        if let only = environment["BURSAR_MIX"], !mix.name.contains(only) { return }
        try await withRedis { server in
            var logger = Logger(label: "simulation")
            logger.logLevel = .error
            let client = RedisClient(configuration: try RedisConfiguration(url: server.url), logger: logger)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await client.run() }
                for seed in first..<(first + count) {
                    let report = try await Run.seed(seed, faults: mix.faults, redis: client)
                    if let violation = report.violation {
                        Issue.record(
                            """
                            seed \(seed), \(mix.name): \(violation)
                            replay: BURSAR_SEED=\(seed) BURSAR_SEEDS=1 BURSAR_MIX='\(mix.name)' swift test --filter SimulationTests
                            \(report.statistics.sorted { $0.key < $1.key })
                            \(report.trace.suffix(ProcessInfo.processInfo.environment["BURSAR_TRACE"] == nil ? 30 : 100_000).joined(separator: "\n"))
                            """)
                        break
                    }
                }
                group.cancelAll()
            }
        }
    }
}
