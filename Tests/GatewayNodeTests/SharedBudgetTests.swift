// Several nodes on one allowance: exact to the token, nothing stranded, nothing lost.

import Ledger
import QuotaCore
import ServiceLifecycle
import Synchronization
import Testing

@testable import GatewayNode

@Suite("Nodes that share a budget")
struct SharedBudgetTests {
    @Test("charge what was used and return the rest of the hold")
    func chargesAndReturns() async throws {
        let budget = Fleet.Budget(account: "search", amount: 1000)
        try await withFleet(budgets: [budget]) { fleet in
            let node = try await fleet.node(0)
            let id = try await node.tokens(100).get()
            #expect(try await fleet.books(budget).leased >= 100)
            let outcome = await node.commit(id, .amounts(tokens: 70, usd: nil, requests: nil))
            #expect(
                outcome
                    == .committed(
                        charged: Amounts(tokens: 70, usd: 0, requests: 1), late: false, overrun: false, repeated: false)
            )
            let books = try await fleet.eventually(budget) { $0.spent == 70 && $0.leased == 0 }
            #expect(books.spent == 70)
            #expect(books.leased == 0)
            #expect(books.violations.isEmpty)
        }
    }

    @Test("admit exactly the allowance, whoever asks")
    func admitsExactly() async throws {
        let budget = Fleet.Budget(account: "search", amount: 1000)
        try await withFleet(nodes: 3, budgets: [budget]) { fleet in
            let admitted = Counter()
            let codes = Counter()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<3 {
                    let node = try await fleet.node(index)
                    for _ in 0..<8 {
                        group.addTask {
                            for _ in 0..<30 {
                                switch await node.tokens(7) {
                                case .success(let id):
                                    admitted.add(1)
                                    _ = await node.commit(id, .amounts(tokens: 7, usd: nil, requests: nil))
                                case .failure(let refusal):
                                    if refusal.code != .budgetExhausted { codes.add(1) }
                                }
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(admitted.total == 142, "142 x 7 = 994 fit into 1000")
            #expect(codes.total == 0, "every refusal says that the budget is exhausted")
            let books = try await fleet.eventually(budget) { $0.leased == 0 }
            #expect(books.spent == 994)
            #expect(books.violations.isEmpty)
        }
    }

    @Test("hold on every budget up to the root, all or none")
    func allOrNone() async throws {
        let own = Fleet.Budget(account: "search", amount: 1000)
        let root = Fleet.Budget(account: "default", amount: 50)
        try await withFleet(nodes: 2, budgets: [own, root]) { fleet in
            let node = try await fleet.node(0)
            let other = try await fleet.node(1)
            let first = try await node.tokens(30).get()
            guard case .failure(let refusal) = await other.tokens(30) else {
                Issue.record("60 of 50 were admitted")
                return
            }
            #expect(refusal.code == .budgetExhausted)
            #expect(refusal.refusedBy.map(\.account) == ["default"])
            #expect(refusal.retryAfter == 1, "an open hold may still come back")
            _ = await node.release(first)
            _ = try await fleet.eventually(root) { $0.leased == 0 }
            #expect(try await fleet.eventually(own) { $0.leased == 0 }.leased == 0, "the refused request holds nothing")
            _ = try await other.tokens(50).get()
        }
    }

    @Test("take commits for each other, counted once", arguments: [false, true])
    func commitsElsewhere(withRelay: Bool) async throws {
        let budget = Fleet.Budget(account: "search", amount: 1000)
        let box = NodeBox()
        try await withFleet(
            nodes: 2, budgets: [budget],
            relay: { _ -> any CommitRelay in if withRelay { DirectRelay(nodes: box) } else { NoRelay() } }
        ) { fleet in
            box.nodes.withLock { $0 = fleet.nodes }
            let owner = try await fleet.node(0)
            let other = try await fleet.node(1)
            let id = try await owner.tokens(100).get()
            _ = try await fleet.eventually(budget) { $0.leased >= 100 }
            for _ in 0..<3 {
                let outcome = await other.commit(id, .amounts(tokens: 60, usd: nil, requests: nil))
                guard case .committed(let charged, _, _, _) = outcome else {
                    Issue.record("\(outcome)")
                    return
                }
                #expect(charged.tokens == 60)
            }
            let books = try await fleet.eventually(budget) { $0.spent == 60 && $0.leased == 0 }
            #expect(books.spent == 60)
            #expect(books.leased == 0)
            #expect(other.counters.relayed.total == (withRelay ? 3 : 0))
        }
    }

    @Test("return every slice when they shut down")
    func goodbye() async throws {
        let budget = Fleet.Budget(account: "search", amount: 100_000)
        try await withFleet(nodes: 2, budgets: [budget]) { fleet in
            let node = try await fleet.node(0)
            for _ in 0..<50 { _ = try await node.tokens(10).get() }
            let open = try await node.tokens(10).get()
            await fleet.groups[0].triggerGracefulShutdown()
            let other = try await fleet.node(1)
            let books = try await fleet.eventually(budget) { $0.sessions == 0 && $0.inDoubt == 510 }
            #expect(books.inDoubt == 510, "only the open holds stay: they follow their rule when they expire")
            // A commit after goodbye goes through the ledger and frees its hold.
            _ = await other.commit(open, .amounts(tokens: 4, usd: nil, requests: nil))
            let after = try await fleet.books(budget)
            #expect(after.spent == 4)
            #expect(after.inDoubt == 500)
            #expect(after.violations.isEmpty)
        }
    }
}
