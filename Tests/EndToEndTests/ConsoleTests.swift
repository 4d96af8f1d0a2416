// What an administrator changes reaches every gateway, and a console that is away harms no decision.

import BursarCommands
import ProcessSupport
import Testing

extension EndToEnd {
    @Suite("Changes through the console")
    struct Changes {
        @Test("A block at the command line stops every gateway, and lifting it lets them go on")
        func block() async throws {
            try await Installation.with { bursar in
                let gateways = [try await bursar.gateway("g1"), try await bursar.gateway("g2")]
                for gateway in gateways { try await gateway.spend(10) }
                try await bursar.succeed("block", "engineering", "--reason", "end of test")
                for gateway in gateways {
                    let answer = try await eventually({ try await gateway.reserve(10) }, until: { $0.status == 403 })
                    #expect(answer.status == 403, "\(answer)")
                    #expect(answer.code == "account_blocked")
                }
                // One that starts now knows it from its first request on.
                let late = try await bursar.gateway("g3")
                let first = try await late.reserve(10)
                #expect(first.code == "account_blocked", "\(first)")
                try await bursar.succeed("block", "delete", "engineering")
                for gateway in gateways + [late] {
                    let answer = try await eventually({ try await gateway.reserve(10) }, until: { $0.status == 201 })
                    #expect(answer.status == 201, "\(answer)")
                }
                try await bursar.expectRightBooks()
            }
        }

        @Test("An exhausted budget refuses everywhere, and a raise lets every gateway go on")
        func raise() async throws {
            try await Installation.with { bursar in
                let gateways = [try await bursar.gateway("g1"), try await bursar.gateway("g2")]
                try await gateways[0].spend(99_990)
                for gateway in gateways {
                    let answer = try await eventually({ try await gateway.reserve(1000) }, until: { $0.status == 429 })
                    #expect(answer.code == "budget_exhausted", "\(answer)")
                }
                try await bursar.succeed("budget", "adjust", "engineering", "tokens", "+5000", "--reason", "test")
                for gateway in gateways {
                    let answer = try await eventually({ try await gateway.reserve(1000) }, until: { $0.status == 201 })
                    #expect(answer.status == 201, "\(answer)")
                }
                try await bursar.expectRightBooks()
            }
        }

        @Test("A revoked key is refused by every gateway, and still commits what it has reserved")
        func revocation() async throws {
            try await Installation.with { bursar in
                let gateways = [try await bursar.gateway("g1"), try await bursar.gateway("g2")]
                var open: [String] = []
                for gateway in gateways { open.append(try await gateway.reserved(10)) }
                let keys = try await bursar.succeed("key", "list", "search", "--quiet")
                try await bursar.succeed("key", "delete", "search", keys.output)
                for (gateway, id) in zip(gateways, open) {
                    let answer = try await eventually({ try await gateway.reserve(10) }, until: { $0.status == 401 })
                    #expect(answer.status == 401, "\(answer)")
                    let commit = try await gateway.commit(id, tokens: 7)
                    #expect(commit.status == 200, "\(commit)")
                }
                let books = try await bursar.books { $0.spent == 14 }
                #expect(books.spent == 14, "\(books)")
            }
        }

        @Test("Without a console gateways decide as before; started again it shows the books and changes them")
        func consoleRestart() async throws {
            try await Installation.with { bursar in
                let gateway = try await bursar.gateway("g1")
                try await gateway.spend(100)
                await bursar.consoleServer?.kill()
                let away = try await bursar.run("check")
                #expect(away.code == 1, "\(away)")
                #expect(away.errors.contains("can't be reached"), "\(away)")
                try await gateway.spend(20_000)
                try await bursar.startConsole()
                let books = try await bursar.books { $0.spent == 20_100 }
                #expect(books.spent == 20_100, "\(books)")
                try await bursar.succeed("block", "search")
                let answer = try await eventually({ try await gateway.reserve(10) }, until: { $0.status == 403 })
                #expect(answer.code == "account_blocked", "\(answer)")
            }
        }
    }
}
