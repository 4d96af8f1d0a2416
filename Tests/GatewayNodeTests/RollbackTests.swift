// Redis loses what it was told last: nodes that have seen it tell it again.

import Ledger
import QuotaCore
import RedisClient
import TestSupport
import Testing

@testable import GatewayNode

@Suite("After Redis has lost writes")
struct RollbackTests {
    @Test("a block that a node has seen is in the books again, and stops requests")
    func block() async throws {
        try await withFleet(budgets: [Fleet.Budget(account: "search", amount: 1000)]) { fleet in
            let node = try await fleet.node(0)
            _ = try await node.tokens(1).get()
            _ = try await fleet.client.send(["SAVE"])
            _ = try await fleet.ledger.putBlock(
                account: "search", block: #"{"reason":"overdue"}"#, change: Change(actor: "test"),
                organisation: Fleet.organisation)
            try await waitUntil { await node.tokens(1).isBlocked }
            // It comes back with what it saved.
            try await fleet.redis?.restart()
            try await waitUntil {
                if case .success = await node.tokens(1) { Issue.record("admitted while the books have forgotten") }
                let account = try? await fleet.ledger.account("search", organisation: Fleet.organisation)
                return account?.block == #"{"reason":"overdue"}"#
            }
            try await waitUntil { await node.tokens(1).isBlocked }
        }
    }

    /// Waits for a condition, at most fifteen seconds.
    private func waitUntil(_ condition: () async throws -> Bool) async throws {
        for _ in 0..<150 {
            if try await condition() { return }
            try await Task.sleep(for: .milliseconds(100))
        }
        Issue.record("it did not come to that")
    }
}

extension Result<String, Refusal> {
    fileprivate var isBlocked: Bool {
        if case .failure(let refusal) = self { refusal.code == .accountBlocked } else { false }
    }
}
