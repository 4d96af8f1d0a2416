// Redis forgets its last second, really: the server is killed and comes back with an older copy of its data.

import HTTPTypes
import Ledger
import Logging
import QuotaCore
import RedisClient
import Testing
import TestSupport

@testable import Console

@Suite("After a rollback")
struct ReapplierTests {
    @Test("Blocks, revocations, rules, adjustments and prices that the ledger lost are made again by themselves")
    func reapplied() async throws {
        try await LiveConsole.run { console in
            try await console.tree()
            let key = try await console.key(.viewer, of: "engineering")
            let id = try #require(APIKey(parsing: key)?.id)
            let keys = "/api/v1/accounts/engineering/keys"
            _ = try await console.ledger.redis.send(["SAVE"])
            // All of this is lost.
            try await console.put("/api/v1/accounts/engineering/block", #"{"reason":"stop"}"#, .created)
            try await console.send(.delete, "\(keys)/\(id)").expect(.noContent)
            try await console.put(BudgetTests.path, LiveConsole.tokens(400), .ok)
            try await console.put("/api/v1/accounts/new", "{}", .created)
            try await console.put("/api/v1/accounts/new/budgets/b", LiveConsole.tokens(7), .created)
            try await console.send(.post, BudgetTests.path + "/adjustments", #"{"amount":3}"#).expect(.created)
            let fresh = try await console.key(.viewer, of: "new")
            try await console.redis.restart()
            try await console.reconnected()
            let freshID = try #require(APIKey(parsing: fresh)?.id)
            let healed = try await eventually {
                // The last of the changes.
                (try? await console.ledger.key(freshID, organisation: "default")) != nil
            }
            #expect(healed)
            #expect(try await console.get("/api/v1/accounts/engineering")["block.reason"].text == "stop")
            #expect(try await console.get("/api/v1/accounts", key: key).status == .unauthorized)
            #expect(try await console.get("/api/v1/accounts/new", key: fresh).status == .ok)
            #expect(try await console.get(BudgetTests.path)["live.allowance"].int == 403)
            #expect(try await console.get("/api/v1/accounts/new/budgets/b")["amount"].int == 7)
        }
    }

    @Test("A restart that lost nothing repeats nothing: one audit entry for each change")
    func lostNothing() async throws {
        try await LiveConsole.run { console in
            try await console.tree()
            try await console.put("/api/v1/accounts/engineering/block", #"{"reason":"stop"}"#, .created)
            _ = try await console.ledger.redis.send(["SAVE"])
            try await console.redis.restart()
            try await console.reconnected()
            try await console.put("/api/v1/accounts/after", "{}", .created)
            for _ in 0..<3 { await console.parts.console.reapplier.look() }
            #expect(try await console.get("/api/v1/audit?kind=block.put").items.count == 1)
            #expect(try await console.get("/api/v1/audit?kind=history.started").items.count == 1)
        }
    }

    @Test("An unblock that came after the block stays the last word")
    func order() async throws {
        try await LiveConsole.run { console in
            try await console.tree()
            _ = try await console.ledger.redis.send(["SAVE"])
            let path = "/api/v1/accounts/engineering/block"
            try await console.put(path, #"{"reason":"stop"}"#, .created)
            try await console.send(.delete, path).expect(.noContent)
            try await console.put("/api/v1/accounts/last", "{}", .created)
            try await console.redis.restart()
            let healed = try await eventually {
                (try? await console.ledger.account("last", organisation: "default")) != nil
            }
            #expect(healed)
            #expect(try await console.ledger.account("engineering", organisation: "default").block.isEmpty)
            #expect(try await console.get("/api/v1/audit?kind=block.deleted").items.count == 1)
        }
    }

    @Test("Changes are forgotten once the books have shown them long enough, and not while the ledger is away")
    func forgets() async throws {
        try await LiveConsole.run { console in
            try await console.tree()
            var limits = Reapplier.Limits()
            limits.memory = .zero
            let reapplier = Reapplier(ledger: console.ledger, logger: Logger(label: "test"), limits: limits)
            try await reapplier.prepare("default")
            let change = Change(actor: "test")
            let written = try await console.ledger.putAccount(
                "x", parent: "default", record: "{}", change: change, organisation: "default")
            reapplier.remember(change, version: written.version, organisation: "default") { ledger, change in
                try await ledger.putAccount(
                    "x", parent: "default", record: "{}", change: change, organisation: "default")
            }
            await console.redis.kill()
            await reapplier.look()
            #expect(reapplier.count == 1)
            try await console.redis.restart()
            // Everything is gone, the organisation's record too: that is an outage, and nothing is confirmed.
            try await console.reconnected()
            await reapplier.look()
            #expect(reapplier.count == 1)
        }
        try await LiveConsole.run { console in
            try await console.tree()
            var limits = Reapplier.Limits()
            limits.memory = .zero
            let reapplier = Reapplier(ledger: console.ledger, logger: Logger(label: "test"), limits: limits)
            try await reapplier.prepare("default")
            reapplier.remember(Change(actor: "test"), version: 1, organisation: "default") { _, _ in
                throw LedgerError(.conflict, "must not be asked")
            }
            await reapplier.look()
            #expect(reapplier.count == 0)
        }
    }
}
