// Whole runs against a server that answers like the contract: the sums, the verdict, and that wrong books are found.

import Foundation
import Testing

@testable import LoadTest

@Suite(.serialized) struct LoadRunTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// A run of 90 requests of 140 tokens for three accounts over two gateways.
    private func run(
        _ stub: StubBursar, change: @escaping @Sendable (inout LoadOptions) -> Void = { _ in }
    ) async throws -> LoadReport {
        let keyFile = try folder.file("key", "bsr_default_test\n")
        return try await stub.serve { url in
            var options = LoadOptions(
                gateways: ["\(url)/g0", "\(url)/g1/"], keyFile: keyFile, accounts: ["a", "b", "c"])
            options.scenario = .steady
            options.rate = 300
            options.duration = .milliseconds(300)
            options.inputTokens = 100
            options.outputTokens = 40
            options.pace = 4000
            options.requestTimeout = .seconds(30)
            options.console = "\(url)/console"
            options.consoleToken = "token"
            options.watchInterval = .milliseconds(50)
            options.settleStable = .milliseconds(300)
            change(&options)
            return try await LoadRun(options).run()
        }
    }

    @Test("an honest server passes, and every figure is exact")
    func honest() async throws {
        let stub = StubBursar(allowance: 3360)
        let out = folder.path + "/report.json"
        let report = try await run(stub) { $0.jsonPath = out }
        let seen = stub.seen

        #expect(report.verdict.isFine, "\(report.verdict)")
        #expect(report.exitCode == 0)
        #expect(report.g1 == true)
        #expect(report.details.counts.unanswered == [:])
        #expect(report.details.counts.decisions == 90)
        #expect(report.details.counts.admitted + (report.denials["budget_exhausted"] ?? 0) == 90)
        #expect(report.details.counts.acknowledged == seen.committed.count)
        #expect(report.budgets.map { "\($0.account)/\($0.budget)" } == ["a/quota", "root/bill", "b/quota", "c/quota"])
        for budget in report.budgets where budget.budget == "quota" {
            #expect(budget.spent == .count(seen.spent[budget.account] ?? -1))
            #expect(budget.acknowledged == budget.spent)
            #expect(budget.overspend == .count(0))
            #expect(budget.allowance == .count(3360))
            #expect(budget.usedAtFirstDenial != nil)
        }
        let bill = try #require(report.budgets.first { $0.budget == "bill" })
        #expect(bill.spent == .microDollars(seen.spent.values.reduce(0, +)))
        #expect(bill.acknowledged == bill.spent)
        #expect(bill.usedAtFirstDenial == nil)
        #expect(seen.bearers == ["Bearer bsr_default_test"])
        #expect(seen.estimates.allSatisfy { $0 == 150 })

        let decoded = try JSONDecoder().decode(LoadReport.self, from: Data(contentsOf: URL(filePath: out)))
        #expect(decoded.budgets == report.budgets)
        #expect(decoded.verdict.isFine)
    }

    @Test("the share used at the first denial is exact where answers come one by one")
    func firstDenial() async throws {
        let report = try await run(StubBursar(allowance: 3360)) { $0.maxInFlight = 1 }
        // 23 requests of 140 tokens, then the estimate of 150 no longer fits.
        let quotas = report.budgets.filter { $0.budget == "quota" }
        #expect(quotas.map(\.usedAtFirstDenial) == Array(repeating: (3220.0 / 3360).rounded(places: 6), count: 3))
        #expect(quotas.allSatisfy { $0.spent == .count(3220) })
    }

    @Test("the JSON has the contract's keys and no others")
    func keys() throws {
        let report = LoadReport(
            decisionsPerSecond: 1.5, latency: .init(p50: 1, p99: 2), denials: [:], redisCommandsPerDecision: nil,
            budgets: [
                .init(
                    account: "a", budget: "b", allowance: .microDollars(1_500_000), spent: .count(1),
                    acknowledged: .count(1), overspend: .count(0), usedAtFirstDenial: nil)
            ], g1: nil, verdict: Verdict(broken: ["one; two", "three"]))
        let text = String(decoding: try report.json(), as: UTF8.self).filter { !$0.isWhitespace }
        #expect(
            text == """
                {"budgets":[{"account":"a","acknowledged":1,"allowance":"1.5","budget":"b","overspend":0,"spent":1,\
                "used_at_first_denial":null}],"decisions_per_s":1.5,"denials":{},"g1":null,"latency_us":{"p50":1,"p99":2},\
                "redis_commands_per_decision":null,"verdict":"one,two;three"}
                """)
        #expect(report.exitCode == 1)
        #expect(report.text.contains("BROKEN"))
    }

    @Test("a commit that is pending or met a failure is repeated until it is acknowledged", arguments: [202, 500, 503])
    func repeats(status: Int) async throws {
        let stub = StubBursar(allowance: 1_000_000, faults: .init(firstCommitStatus: status))
        let report = try await run(stub)
        #expect(report.verdict.isFine, "\(report.verdict)")
        #expect(report.details.counts.unanswered == [:])
        #expect(report.details.counts.acknowledged == 90)
        #expect(report.details.counts.commitRetries == 90)
        #expect(stub.seen.attempts.values.allSatisfy { $0 == 2 })
    }

    @Test("the repeats of a commit are bounded")
    func bounded() async throws {
        let stub = StubBursar(allowance: 1_000_000, faults: .init(commitStatus: 503))
        let report = try await run(stub) { $0.commitAttempts = 2 }
        #expect(stub.seen.attempts.values.allSatisfy { $0 == 2 })
        #expect(report.details.counts.unacknowledged == ["refused": 90])
        #expect(report.verdict.broken.contains("90 commits were never acknowledged (refused 90)"))
    }

    @Test("a refused commit is lost, and breaks the run")
    func refusedCommits() async throws {
        let stub = StubBursar(allowance: 1_000_000, faults: .init(commitStatus: 404))
        let report = try await run(stub)
        #expect(stub.seen.attempts.values.allSatisfy { $0 == 1 })
        #expect(report.exitCode == 1)
    }

    @Test(
        "wrong books are found",
        arguments: [
            (StubBursar.Faults(forgetsCommits: true), "are not in the books"),
            (StubBursar.Faults(chargesTwice: true), "were charged beyond the acknowledged commits"),
            (StubBursar.Faults(neverRefuses: true), "overspent by"),
            (StubBursar.Faults(losesToken: true), "G1 was violated"),
        ])
    func wrongBooks(faults: StubBursar.Faults, expected: String) async throws {
        let report = try await run(StubBursar(allowance: 3360, faults: faults))
        #expect(report.verdict.description.contains(expected), "\(report.verdict)")
        #expect(report.exitCode == 1)
        #expect(report.g1 == !faults.losesToken)
    }

    @Test("commits go elsewhere where that is asked for")
    func elsewhere() async throws {
        let stub = StubBursar(allowance: 1_000_000)
        let report = try await run(stub) { $0.commitElsewhere = 1 }
        #expect(report.details.counts.acknowledgedElsewhere == 90)
        #expect(stub.seen.gatewaysOfCommits.allSatisfy { $0.reserved != $0.committed })
    }

    @Test("requests leave at their time although answers are outstanding")
    func openLoop() async throws {
        let stub = StubBursar(allowance: 1_000_000, faults: .init(delay: .seconds(1)))
        let report = try await run(stub)
        #expect(report.details.counts.late == 0)
        #expect(stub.seen.mostOpen > 10)
    }

    @Test("beyond the bound in flight a request is late, not dropped, and its latency counts from when it was due")
    func late() async throws {
        let stub = StubBursar(allowance: 1_000_000, faults: .init(delay: .milliseconds(50)))
        let report = try await run(stub) {
            $0.maxInFlight = 1
            $0.rate = 1000
            $0.duration = .milliseconds(10)
        }
        #expect(report.details.counts.late == 9)
        #expect(report.details.counts.acknowledged == 10)
        #expect(stub.seen.mostOpen == 1)
        // Ten answers of 50 ms, one after the other, the last one due after 9 ms.
        #expect(report.details.slowestMicroseconds >= 490_000)
    }

    @Test("a gateway that can't decide is no decision")
    func unable() async throws {
        let stub = StubBursar(allowance: 1_000_000, faults: .init(reservationStatus: 503))
        let report = try await run(stub)
        #expect(report.denials == ["ledger_unavailable": 90])
        #expect(report.details.counts.decisions == 0)
        #expect(report.verdict.broken == ["no request was decided"])
    }

    @Test("a gateway that isn't there gives no answer, and the run still ends with a report")
    func nobody() async throws {
        let report = try await run(StubBursar(allowance: 1_000_000)) { $0.gateways = ["http://127.0.0.1:1"] }
        #expect(report.details.counts.unansweredTotal == 90)
        #expect(report.exitCode == 1)
    }

    @Test("the time limit ends a run, which then is not fine")
    func timeLimit() async throws {
        let report = try await run(StubBursar(allowance: 1_000_000)) { $0.timeLimit = .milliseconds(100) }
        #expect(report.details.counts.sent < 90)
        #expect(report.verdict.description.contains("the time limit stopped the run"))
    }

    @Test("without a console the report has no books")
    func noConsole() async throws {
        let report = try await run(StubBursar(allowance: 3360)) { $0.console = nil }
        #expect(report.budgets.isEmpty)
        #expect(report.g1 == nil)
        #expect(report.verdict.isFine)
    }

    @Test("a key file that holds no key stops the run before it starts", arguments: ["", " \n", "two keys", "a\nb"])
    func wrongKey(text: String) async throws {
        let keyFile = try folder.file("wrong", text)
        var options = LoadOptions(gateways: ["http://127.0.0.1:1"], keyFile: keyFile, accounts: ["a"])
        options.scenario = .steady
        let error = await #expect(throws: LoadError.self) { try await LoadRun(options).run() }
        #expect(error?.code == .key)
    }

    @Test("progress is a line of counts, with a bar on a terminal")
    func progress() {
        var counts = LoadCounts()
        (counts.sent, counts.decisions, counts.admitted, counts.late) = (50, 40, 30, 2)
        counts.denials = ["budget_exhausted": 10]
        let line = LoadProgress.line(counts, total: 100, elapsed: .seconds(2), withBar: false)
        #expect(line == "50 %  50/100 sent  20/s  30 admitted  10 refused  0 in flight  2 late")
        let bar = LoadProgress.line(counts, total: 100, elapsed: .seconds(2), withBar: true)
        #expect(bar.hasPrefix(String(repeating: "█", count: 12) + String(repeating: "░", count: 12)))
    }
}
