// Whole drills against gateways that follow with a known delay.

import Foundation
import Testing

@testable import LoadTest

@Suite(.serialized) struct DrillRunTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func run(
        _ stub: StubDrill, _ scenario: LoadOptions.Scenario,
        change: @escaping @Sendable (inout LoadOptions) -> Void = { _ in }
    ) async throws -> DrillReport {
        let keyFile = try folder.file("key", "bsr_default_test\n")
        return try await stub.serve { url in
            var options = LoadOptions(
                gateways: stub.lags.indices.map { "\(url)/g\($0)" }, keyFile: keyFile, accounts: ["a"])
            options.scenario = scenario
            options.console = "\(url)/console"
            options.consoleToken = "token"
            options.rounds = 3
            options.probePause = .milliseconds(1)
            change(&options)
            return try await DrillRun(options).run()
        }
    }

    @Test("block-drill waits for the slowest gateway, sees its late admissions, and leaves no block behind")
    func block() async throws {
        let stub = StubDrill(lags: [.zero, .milliseconds(100)])
        let out = folder.path + "/block.json"
        let report = try await run(stub, .blockDrill) { $0.jsonPath = out }
        #expect(report.verdict.isFine, "\(report.verdict)")
        #expect(report.rounds == 3)
        #expect(report.otherAnswers == [:])
        // The stub counts from its own change, a little before the console's answer arrives.
        #expect(try #require(report.block).p50 > 50_000)
        #expect(try #require(report.unblock).p50 > 50_000)
        #expect(report.lateAdmissions == 3)
        #expect(try #require(report.lastLateAdmission).max <= (try #require(report.block)).max)
        #expect(report.raise == nil)
        let changes = stub.seen.changes
        #expect(changes == Array(repeating: ["block a", "unblock a"], count: 3).flatMap { $0 } + ["unblock a"])
        let object = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(filePath: out))) as? [String: Any]
        #expect((object?["block_us"] as? [String: Int])?.keys.sorted() == ["max", "p50", "p90", "p99"])
        #expect(object?["unblock_us"] != nil)
        #expect(object?["raise_us"] == nil)
        #expect(object?["verdict"] as? String == "ok")
    }

    @Test("raise-drill uses every raise up again, in an account of its own that it removes")
    func raise() async throws {
        let stub = StubDrill(lags: [.milliseconds(100), .zero])
        let report = try await run(stub, .raiseDrill) { $0.raiseTokens = 500 }
        #expect(report.verdict.isFine, "\(report.verdict)")
        #expect(report.rounds == 3)
        #expect(try #require(report.raise).p50 > 50_000)
        #expect(report.block == nil)
        #expect(report.lateAdmissions == nil)
        let seen = stub.seen
        #expect(seen.spent == 3 * 500)
        #expect(seen.allowance == 4 * 500)
        let account = try #require(seen.changes.first?.split(separator: " ").last.map(String.init))
        #expect(account.hasPrefix("drill-"))
        let verbs = ["make", "budget", "raise", "raise", "raise", "remove"]
        #expect(seen.changes == verbs.map { "\($0) \(account)" })
    }

    @Test("a gateway that does not follow in time breaks the drill, is named, and the block is lifted")
    func never() async throws {
        let stub = StubDrill(lags: [.zero, .seconds(3600)])
        let report = try await run(stub, .blockDrill) { $0.roundTimeout = .milliseconds(200) }
        #expect(report.rounds == 0)
        #expect(report.block == nil)
        #expect(report.verdict.description.contains("round 1: not blocked"))
        #expect(report.verdict.description.contains("/g1"))
        #expect(!report.verdict.description.contains("/g0"))
        #expect(stub.seen.changes == ["block a", "unblock a"])
    }

    @Test("a gateway that isn't there ends the drill before anything is blocked")
    func nobody() async throws {
        let stub = StubDrill(lags: [.zero])
        let error = await #expect(throws: LoadError.self) {
            try await run(stub, .blockDrill) {
                $0.gateways.append("http://127.0.0.1:1")
                $0.roundTimeout = .milliseconds(200)
            }
        }
        #expect(error?.code == .drill)
        #expect(error?.message.contains("http://127.0.0.1:1") == true)
        #expect(!stub.seen.changes.contains("block a"))
    }

    @Test("drills need a console and one account")
    func options() async throws {
        let stub = StubDrill(lags: [.zero])
        for change: @Sendable (inout LoadOptions) -> Void in [{ $0.console = nil }, { $0.accounts = ["a", "b"] }] {
            let error = await #expect(throws: LoadError.self) { try await run(stub, .raiseDrill, change: change) }
            #expect(error?.code == .options)
        }
    }
}
