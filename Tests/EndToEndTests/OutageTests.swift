// Redis away for a while, Redis back with all it had, and Redis back with less.

import BursarCommands
import NIOHTTP1
import ProcessSupport
import TestSupport
import Testing

extension EndToEnd {
    @Suite("Outages of Redis")
    struct Outage {
        @Test("While Redis hangs, gateways spend what they have leased and say 503 beyond; then all goes on")
        func hangs() async throws {
            try await Installation.with { bursar in
                let gateway = try await bursar.gateway("g1")
                try await gateway.spend(100, times: 20)
                bursar.redis.pause()
                let small = try await gateway.reserved(1)
                let large = try await gateway.reserve(90_000)
                #expect(large.status == 503, "\(large)")
                #expect(large.code == "ledger_unavailable", "\(large)")
                #expect(large.headers.first(name: "retry-after") != nil)
                let commit = try await gateway.commit(small, tokens: 1)
                #expect(commit.status == 200, "\(commit)")
                bursar.redis.resume()
                let healed = try await eventually(
                    { try await gateway.reserve(90_000) },
                    until: { answer in
                        // Unable to decide is never a refusal.
                        #expect(answer.status == 201 || answer.status == 503, "\(answer)")
                        return answer.status == 201
                    })
                #expect(healed.status == 201, "\(healed)")
                let books = try await bursar.books { $0.spent == 2001 }
                #expect(books.spent == 2001, "\(books)")
                try await bursar.expectRightBooks()
            }
        }

        @Test("Redis killed and started again with its append-only file loses no acknowledged commit and no block")
        func killed() async throws {
            try await Installation.with(redis: ["--appendonly", "yes", "--appendfsync", "always"]) { bursar in
                let gateway = try await bursar.gateway("g1")
                try await bursar.succeed("block", "legal", "--reason", "before the crash")
                try await gateway.spend(100, times: 10)
                let before = try await eventually(
                    { try await gateway.reserve(1, account: "legal") }, until: { $0.status == 403 })
                #expect(before.code == "account_blocked", "\(before)")
                let open = try await gateway.reserved(100)
                await bursar.redis.kill()

                let large = try await gateway.reserve(90_000)
                #expect(large.status == 503, "\(large)")
                #expect(large.code == "ledger_unavailable", "\(large)")
                let commit = try await gateway.commit(open, tokens: 77)
                #expect(commit.status == 200, "\(commit)")
                let unready = try await Answer.to(.GET, "\(bursar.console)/readyz", key: nil)
                #expect(unready.status == 503, "\(unready)")

                try await bursar.redis.restart()
                let healed = try await eventually(
                    { try await gateway.reserve(50_000) },
                    until: { answer in
                        #expect(answer.status == 201 || answer.status == 503, "\(answer)")
                        return answer.status == 201
                    })
                #expect(healed.status == 201, "\(healed)")
                let books = try await bursar.books { $0.spent == 1077 }
                #expect(books.spent == 1077, "\(books)")
                try await bursar.expectRightBooks()
                // Of the gateway that knew, and of one that learns it from the books.
                for gateway in [gateway, try await bursar.gateway("g2")] {
                    let blocked = try await gateway.reserve(1, account: "legal")
                    #expect(blocked.code == "account_blocked", "\(blocked)")
                }
                let list = try await bursar.succeed("block", "list")
                #expect(list.output.contains("before the crash"), "\(list)")
            }
        }

        @Test("When Redis comes back with older books, nothing is granted for one TTL, and the nodes heal the books")
        func forgets() async throws {
            try await Installation.with { bursar in
                let gateway = try await bursar.gateway("g1")
                try await gateway.spend(100, times: 10)
                _ = try await bursar.books { $0.spent == 1000 }
                let socket = String(bursar.redis.url.dropFirst("unix://".count))
                let saved = try await Program.run(["redis-cli", "-s", socket, "SAVE"], executable: "/usr/bin/env")
                #expect(saved.output == "OK", "\(saved)")
                try await gateway.spend(100, times: 10)
                let before = try await bursar.books { $0.spent == 2000 }
                #expect(before.spent == 2000)
                // Started again it reads what was saved: half of the spending is lost.
                try await bursar.redis.restart()
                let recovering = try await eventually(
                    { try await gateway.reserve(50_000) },
                    until: { answer in
                        #expect(answer.status == 201 || answer.status == 503, "\(answer)")
                        return answer.code == "ledger_recovering" || answer.status == 201
                    })
                #expect(recovering.status == 503, "\(recovering)")
                #expect(recovering.code == "ledger_recovering", "\(recovering)")
                #expect(recovering.headers.first(name: "retry-after") == "1")
                let healed = try await eventually(
                    { try await gateway.reserve(50_000) }, until: { $0.status == 201 })
                #expect(healed.status == 201, "\(healed)")
                let books = try await bursar.books { $0.spent == 2000 }
                #expect(books.spent == 2000, "\(books)")
                try await bursar.expectRightBooks()
            }
        }
    }
}
