// Blocks, raises, ladders: rules that change or bind while requests come.

import Ledger
import QuotaCore
import RedisClient
import Testing

@testable import GatewayNode

@Suite("Rules reach every node")
struct RulesTests {
    @Test("a block stops an account and all below it, and only its removal ends it")
    func block() async throws {
        let budget = Fleet.Budget(account: "default", amount: 1000)
        try await withFleet(nodes: 2, budgets: [budget]) { fleet in
            let node = try await fleet.node(1)
            _ = try await node.tokens(1).get()
            _ = try await fleet.ledger.putBlock(
                account: "default", block: #"{"reason":"overdue"}"#, change: Change(actor: "test"),
                organisation: Fleet.organisation)
            try await Task.sleep(for: .milliseconds(200))
            guard case .failure(let refusal) = await node.tokens(1) else {
                Issue.record("admitted under a block")
                return
            }
            #expect(refusal.code == .accountBlocked)
            #expect(refusal.detail.contains("overdue"))
            _ = try await fleet.ledger.deleteBlock(
                account: "default", change: Change(actor: "test"), organisation: Fleet.organisation)
            try await Task.sleep(for: .milliseconds(200))
            _ = try await node.tokens(1).get()
        }
    }

    @Test("the hint of a change is enough to admit nothing more on what was known")
    func hint() async throws {
        let budget = Fleet.Budget(account: "default", amount: 1000)
        try await withFleet(nodes: 1, budgets: [budget]) { fleet in
            let node = try await fleet.node(0)
            _ = try await node.tokens(1).get()
            let before = try #require(node.cachedEntry("search"))
            let channel = Ledger.prefix(Fleet.organisation) + "news"
            // No such event exists: only the hint tells of it.
            _ = try await fleet.client.send(["PUBLISH", channel, "version 1 default key:none"])
            for _ in 0..<200 where !before.chain.retired { try await Task.sleep(for: .milliseconds(10)) }
            #expect(before.chain.retired)
            _ = try await node.tokens(1).get()
            #expect(node.cachedEntry("search") !== before)
        }
    }

    @Test("a raise ends refusals, a lowering begins them")
    func raise() async throws {
        var budget = Fleet.Budget(account: "search", amount: 100)
        try await withFleet(nodes: 2, budgets: [budget]) { fleet in
            let node = try await fleet.node(0)
            let id = try await node.tokens(100).get()
            _ = await node.commit(id, .amounts(tokens: 100, usd: nil, requests: nil))
            guard case .failure(let refusal) = await node.tokens(1) else {
                Issue.record("101 of 100 admitted")
                return
            }
            #expect((refusal.retryAfter ?? 0) > 1, "nothing can come back before the reset")
            budget.amount = 150
            try await fleet.put(budget)
            try await Task.sleep(for: .milliseconds(200))
            _ = try await node.tokens(50).get()
            budget.amount = 120
            try await fleet.put(budget)
            try await Task.sleep(for: .milliseconds(200))
            guard case .failure = await node.tokens(1) else {
                Issue.record("admitted above a lowered allowance")
                return
            }
            let books = try await fleet.books(budget)
            #expect(books.available == -30)
            #expect(books.violations.isEmpty)
        }
    }

    @Test("a request that no longer fits below the reroute step goes to the other model, uncharged there")
    func reroute() async throws {
        let budget = Fleet.Budget(
            account: "search", amount: 100, steps: "10000:reroute,11000:block",
            policy: #"[{"at":"1.0","do":"reroute","model":"internal"},{"at":"1.1","do":"block"}]"#)
        let root = Fleet.Budget(account: "default", amount: 1000)
        try await withFleet(budgets: [budget, root]) { fleet in
            let node = try await fleet.node(0)
            let id = try await node.tokens(95).get()
            _ = await node.commit(id, .amounts(tokens: 95, usd: nil, requests: nil))
            func ask(_ tokens: Int64) async -> ReservationOutcome {
                await node.reserve(
                    ReservationRequest(account: "search", model: "big", estimate: Estimate(tokens: tokens)))
            }
            let admission = try #require(await ask(10).admission)
            #expect(admission.decision == .reroute)
            #expect(admission.model == "internal")
            let token = try #require(admission.token)
            #expect(token.holds.map(\.generation) == [root.generation])
            let small = try #require(await ask(5).admission)
            #expect(small.decision == .allow, "a small one still fits")
            let large = try #require(await ask(20).refusal)
            #expect(large.code == .budgetExhausted, "the block at 1.1 is reached by the same request")
        }
    }

    @Test("a throttle admits at its rate, cluster-wide")
    func throttle() async throws {
        let budget = Fleet.Budget(
            account: "search", amount: 10, steps: "10000:throttle:60",
            policy: #"[{"at":"1.0","do":"throttle","requests_per_minute":60}]"#)
        try await withFleet(nodes: 2, budgets: [budget]) { fleet in
            var admitted = 0
            var throttled = 0
            for index in 0..<8 {
                switch await (try fleet.node(index % 2)).tokens(10) {
                case .success: admitted += 1
                case .failure(let refusal):
                    #expect(refusal.code == .throttled)
                    throttled += 1
                }
            }
            #expect(admitted >= 2 && admitted <= 4, "one below the step, then one a second: \(admitted)")
            #expect(throttled >= 4)
        }
    }

    @Test("a shadow budget decides and records but never refuses")
    func shadow() async throws {
        let budget = Fleet.Budget(account: "search", amount: 10, mode: "shadow")
        try await withFleet(budgets: [budget]) { fleet in
            let node = try await fleet.node(0)
            for _ in 0..<5 { _ = try await node.tokens(10).get() }
            _ = try await fleet.eventually(budget) { $0.committed >= 50 }
            let outcome = await node.reserve(ReservationRequest(account: "search", estimate: Estimate(tokens: 10)))
            let admission = try #require(outcome.admission)
            #expect(admission.warnings.contains { $0.code == "shadow" })
        }
    }
}
