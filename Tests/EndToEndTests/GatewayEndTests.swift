// How gateways end: killed, with money in doubt, or in order, with every slice returned.

import BursarCommands
import Foundation
import NIOHTTP1
import ProcessSupport
import TestSupport
import Testing

extension EndToEnd {
    @Suite("The end of a gateway")
    struct GatewayEnd {
        @Test("A killed gateway's money stays counted, the others go on, and its reservations are booked once")
        func killed() async throws {
            try await Installation.with { bursar in
                let one = try await bursar.gateway("g1")
                let two = try await bursar.gateway("g2")
                var ids: [String] = []
                for _ in 0..<3 { ids.append(try await one.reserved(1000)) }
                let told = try await eventually({ try await Self.openReservations(bursar) }, until: { $0 == 3 })
                #expect(told == 3)
                await one.server.kill()

                // At once, when nobody knows yet that the owner is dead.
                let early = try await eventually(
                    { try await two.commit(ids[0], tokens: 800) }, until: { $0.status == 200 })
                #expect(early.status == 200, "\(early)")
                try await two.spend(10)
                let doubt = try await bursar.books { $0.inDoubt >= 2000 }
                #expect(doubt.inDoubt >= 2000, "\(doubt)")
                try await two.spend(10)

                // And once more when it is known; each of them repeated. Without the owner a repeat tells what budgets
                // were charged, which is all that the ledger keeps.
                let late = try await two.commit(ids[1], tokens: 500)
                #expect(late.status == 200, "\(late)")
                #expect(late.body["charged.tokens"] == .number(500))
                for _ in 0..<2 {
                    let again = try await two.commit(ids[1], tokens: 500)
                    #expect(again.status == 200, "\(again)")
                    #expect(again.body["charged.tokens"] == late.body["charged.tokens"], "\(again)")
                }
                let repeated = try await two.commit(ids[0], tokens: 800)
                #expect(repeated.status == 200, "\(repeated)")
                _ = try await bursar.books { $0.spent == 1320 }
                try await Task.sleep(for: .seconds(1))
                let books = try await bursar.books { _ in true }
                #expect(books.spent == 1320, "\(books)")
                #expect(books.inDoubt >= 1000, "\(books)")
                try await bursar.expectRightBooks()
            }
        }

        @Test(
            "Asked to end, a gateway returns all but its open holds, which stay until they expire, and exits with 0"
        )
        func asked() async throws {
            try await Installation.with { bursar in
                let gateway = try await bursar.gateway("g1")
                try await gateway.spend(50, times: 10)
                _ = try await gateway.reserved(1000, ttl: 8)
                let code = await gateway.server.stop()
                #expect(code == 0, "\(gateway.server.logText)")
                let books = try await bursar.books { _ in true }
                #expect(books.spent == 500, "\(books)")
                #expect(books.leased + books.inDoubt == 1000, "\(books)")
                // `abandoned: charge`, the default: who never commits has spent its hold. The ledger sees to it with the
                // next exchange of anyone.
                let other = try await bursar.gateway("g2")
                try await other.spend(1)
                let later = try await bursar.books { $0.spent == 1501 && $0.leased + $0.inDoubt == 0 }
                #expect(later.spent == 1501, "\(later)")
                #expect(later.leased + later.inDoubt == 0, "\(later)")
                try await bursar.expectRightBooks()
            }
        }

        @Test("Without open holds nothing stays behind: leased and in doubt are 0 as soon as the process has ended")
        func nothingHeld() async throws {
            try await Installation.with { bursar in
                let gateways = [try await bursar.gateway("g1"), try await bursar.gateway("g2")]
                for gateway in gateways { try await gateway.spend(50, times: 10) }
                for gateway in gateways {
                    let code = await gateway.server.stop()
                    #expect(code == 0, "\(gateway.server.logText)")
                }
                let books = try await bursar.books()
                #expect(books.spent == 1000, "\(books)")
                #expect(books.leased == 0, "\(books)")
                #expect(books.inDoubt == 0, "\(books)")
            }
        }

        @Test("A drain of 5 s, the default, says not ready and still serves; a second signal ends the process at once")
        func drain() async throws {
            try await Installation.with { bursar in
                let gateway = try await bursar.gateway("g1", [])
                let id = try await gateway.reserved(100)
                gateway.server.process.signal(15)
                let draining = try await eventually({ try await gateway.ready() }, until: { $0.status == 503 })
                #expect(draining.code == "draining", "\(draining)")
                // Past any shorter default.
                try await Task.sleep(for: .seconds(2))
                #expect(gateway.server.process.isRunning)
                let commit = try await gateway.commit(id, tokens: 70)
                #expect(commit.status == 200, "\(commit)")
                let other = try await gateway.reserve(100)
                #expect(other.status == 201, "\(other)")
                gateway.server.process.signal(15)
                let code = await gateway.server.end()
                #expect(code == 128 + 15)
                // It said no goodbye: what it held stays counted.
                let books = try await bursar.books { $0.inDoubt >= 100 }
                #expect(books.inDoubt >= 100, "\(books)")
                try await bursar.expectRightBooks()
            }
        }

        @Test(
            "A gateway with a journal that is killed tells in its next life every commit it acknowledged, and only its open holds stay in doubt"
        )
        func journal() async throws {
            try await Installation.with { bursar in
                let folder = bursar.folder.appending(path: "journal").path
                let arguments = ["--drain-delay", "0s", "--journal", folder]
                let one = try await bursar.gateway("g1", arguments)
                try await one.spend(100, times: 50)
                var ids: [String] = []
                for _ in 0..<3 { ids.append(try await one.reserved(1000)) }
                try await bursar.fail(
                    "gateway", "--redis", bursar.redis.url, "--listen", "127.0.0.1:0", "--journal", folder)
                // Told in no exchange yet when it dies: the last of them are less than an exchange interval old.
                try await one.spend(37, times: 40)
                await one.server.kill()

                let two = try await bursar.gateway("g2", arguments)
                let told = try await bursar.books { $0.spent == 6480 && $0.leased + $0.inDoubt == 3000 }
                #expect(told.spent == 6480, "\(told)")
                #expect(told.leased + told.inDoubt == 3000, "\(told)")
                let late = try await two.commit(ids[0], tokens: 800)
                #expect(late.status == 200, "\(late)")
                let after = try await bursar.books { $0.spent == 7280 && $0.leased + $0.inDoubt == 2000 }
                #expect(after.spent == 7280 && after.leased + after.inDoubt == 2000, "\(after)")
                try await bursar.expectRightBooks()
                // All is told: an end in order leaves nothing to the next life.
                #expect(await two.server.stop() == 0)
                let left = try FileManager.default.contentsOfDirectory(atPath: folder)
                #expect(left == ["lock"], "\(left)")
            }
        }

        private static func openReservations(_ bursar: Installation) async throws -> Int {
            let answer = try await Answer.to(
                .GET, "\(bursar.console)/api/v1/reservations", key: Installation.adminToken)
            return answer.body["items"]?.items.count ?? -1
        }
    }
}
