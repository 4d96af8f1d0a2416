// Time, sessions and the numbering of messages: what any message may meet on its way has no effect on the books.

@testable import Ledger
@testable import QuotaCore
import RedisClient
import Testing

@Suite struct MessageTests {
    @Test("Time never runs backwards")
    func time() async throws {
        try await withDesk { desk async throws in
            let first = try await desk.exchange("a")
            desk.now -= 60_000
            let second = try await desk.exchange("b")
            #expect(second.now == first.now)
            #expect(try await desk.books.field("meta", "clock_behind_ms") == "60000")
        }
    }

    @Test("A session lives for one time to live after its newest message, and its outstanding is in doubt after that")
    func timeToLive() async throws {
        try await withDesk { desk async throws in
            try await desk.tell("a", need: 100)
            desk.now += 3000
            #expect(try await desk.figures().leased == 100)
            desk.now += 1
            let dead = try await desk.figures()
            #expect(dead.leased == 0 && dead.inDoubt == 100 && dead.committed == 100)
            #expect(try await desk.exchange("b").sessions == 1)
        }
    }

    @Test("A session that speaks again after its time, and that nobody ended, holds its lease as before")
    func revival() async throws {
        try await withDesk { desk async throws in
            try await desk.tell("a", need: 100)
            desk.now += 10_000
            let again = try await desk.tell("a", used: 30)
            #expect(!again.answer.over && again.lease.granted == 100)
            #expect(try await desk.figures().leased == 70)
        }
    }

    @Test("A repeated message is answered, not applied, and shows what was granted")
    func repeated() async throws {
        try await withDesk { desk async throws in
            try await desk.tell("a", need: 100)
            let seen = desk.report("a")
            var first = seen
            first.granted = 0
            let again = try await desk.exchange(
                "a", number: 1, [first], groups: [[Need(key: Desk.key, amount: 100, level: 0, token: false)]])
            #expect(again.leases[0].granted == 100 && again.groups.isEmpty)
            #expect(try await desk.figures().committed == 100)
        }
    }

    @Test("An older message that comes late changes neither used nor returned nor the time to live")
    func reordered() async throws {
        try await withDesk { desk async throws in
            try await desk.tell("a", need: 100)
            var report = desk.report("a")
            (report.used, report.returned) = (20, 30)
            try await desk.exchange("a", number: 5, [report])
            desk.now += 2000
            (report.used, report.returned) = (10, 0)
            try await desk.exchange("a", number: 4, [report])
            #expect(try await desk.row("a") == [100, 20, 30, 0])
            desk.now += 1001
            #expect(try await desk.figures().inDoubt == 50)
        }
    }

    @Test("used is the newest message's, granted is the ledger's")
    func owners() async throws {
        try await withDesk { desk async throws in
            try await desk.tell("a", need: 100)
            try await desk.tell("a", used: 60)
            #expect(try await desk.tell("a", used: 50).lease.spent == 50)
            var report = desk.report("a")
            report.granted = 500
            let answer = try await desk.exchange("a", [report])
            #expect(answer.leases[0].granted == 500, "kept on the safe side")
            #expect(try await desk.books.field("meta", "anomalies") == "1")
            report = desk.report("a")
            report.granted = 3
            #expect(try await desk.exchange("a", [report]).leases[0].granted == 500)
        }
    }

    @Test("More used than granted raises granted")
    func overrun() async throws {
        try await withDesk { desk async throws in
            try await desk.tell("a", need: 100)
            let answer = try await desk.tell("a", used: 1500)
            #expect(answer.lease.granted == 1500 && answer.lease.committed == 1500)
            #expect(try await desk.figures().available == -500)
        }
    }

    @Test("Without a record of the organisation every command says so and writes nothing")
    func noOrganisation() async throws {
        try await withBooks(created: false) { books async throws in
            let desk = Desk(books)
            desk.generations = []
            let parts = [SettlementPart(key: Desk.key, charge: 1, hold: 1)]
            #expect(await code { try await desk.exchange("a") } == .noOrganisation)
            #expect(await code { try await desk.charge("c", 1) } == .noOrganisation)
            let (ledger, name) = (desk.ledger, TestBooks.organisation)
            #expect(
                await refusal { () async throws(LedgerError) in
                    try await ledger.settle(session: "a", number: 1, parts: parts, organisation: name)
                } == .noOrganisation)
            #expect(
                await refusal { () async throws(LedgerError) in
                    try await ledger.resolve(account: "acme", organisation: name)
                } == .noOrganisation)
            #expect(
                await refusal { () async throws(LedgerError) in
                    try await ledger.books(generation: "g1", organisation: name)
                } == .noOrganisation)
            #expect(try await books.redis.send(["DBSIZE"]).int == 0)
        }
    }

    /// ARGV[4...] of an exchange with one parked hold, two leases and one group.
    static let good = [
        "a", "1", "", "0", "0", "0", "0", "", "", "", "n", "", "1", "7", "99", "c|g1:1800000000:0:5", "2",
        "g1", "1800000000", "0", "0", "0", "0", "0", "0", "g2", "1800000000", "0", "0", "0", "0", "0", "0",
        "1", "2", "1", "5", "0", "0", "2", "5", "0", "0",
    ]

    @Test(
        "A malformed argument of exchange is refused and changes nothing",
        arguments: [
            (0, "a b"), (0, ""), (1, "0"), (1, "1e3"), (1, "x"), (2, "h 1"), (3, "-1"), (3, "9007199254740993"),
            (4, "0x10"), (6, " 1"), (7, "1;2"), (8, "a"), (9, "-"), (10, String(repeating: "n", count: 257)),
            (12, "257"), (13, "x"), (14, "1.5"), (15, "x|"), (15, "c|g1:1:0"),
            (15, "c|g1:1800000000:0:99999999999999999"),
            (16, "129"), (17, "g-1"), (18, "01800000000"), (18, "x"), (19, "nan"), (20, "4503599627370497"), (21, "-1"),
            (22, "1e15"), (23, ""), (24, "x"), (25, "g1"), (33, "129"), (34, "65"), (35, "0"), (35, "3"), (36, "-5"),
            (37, "9"), (39, "1"),
        ] as [(Int, String)])
    func malformed(place: Int, text: String) async throws {
        try await withDesk { desk async throws in
            var arguments = Self.good
            arguments[place] = text
            let before = try await desk.books.digest()
            let (ledger, changed) = (desk.ledger, arguments)
            let code = await refusal { () async throws(LedgerError) in
                try await ledger.run(LedgerScript.exchange, organisation: TestBooks.organisation, changed)
            }
            guard case .invalid? = code else {
                Issue.record("\(place) \(text) was taken: \(String(describing: code))")
                return
            }
            #expect(try await desk.books.digest() == before)
        }
    }

    @Test("What the malformed messages were made from is well-formed")
    func wellFormed() async throws {
        try await withDesk { desk async throws in
            _ = try await desk.ledger.run(LedgerScript.exchange, organisation: TestBooks.organisation, Self.good)
            try await desk.check()
        }
    }

    @Test(
        "A malformed argument of settle and charge is refused and changes nothing",
        arguments: [
            ["settle", "a b", "1", "g1:1800000000:1:1"], ["settle", "a", "01", "g1:1800000000:1:1"],
            ["settle", "a", "-1", "g1:1800000000:1:1"], ["settle", "a", "1", "g1:1800000000:1"],
            ["settle", "a", "1", "g1:01800000000:1:1"], ["settle", "a", "1", "g1:1800000000:9007199254740993:1"],
            ["settle", "a", "1", "g1:1800000000:1:1 "], ["settle", "a", "1", "g1:1800000000:-1:1"],
            ["charge", "a b", "g1:1800000000:1:0"], ["charge", "", "g1:1800000000:1:0"], ["charge", "c", ""],
            ["charge", "c", "g1:1800000000:9007199254740993:0"], ["charge", "c", "g1:1800000000:1e3:0"],
            ["charge", "c", "g1:01800000000:1:0"],
        ])
    func malformedSettlement(words: [String]) async throws {
        try await withDesk { desk async throws in
            let before = try await desk.books.digest()
            let ledger = desk.ledger
            let code = await refusal { () async throws(LedgerError) in
                try await ledger.run(
                    words[0] == "settle" ? LedgerScript.settle : LedgerScript.charge,
                    organisation: TestBooks.organisation, Array(words.dropFirst()))
            }
            guard case .invalid? = code else {
                Issue.record("\(words) was taken: \(String(describing: code))")
                return
            }
            #expect(try await desk.books.digest() == before)
        }
    }

    @Test("News are complete only up to a version that the books have reached")
    func news() async throws {
        try await withDesk { desk async throws in
            let ledger = desk.ledger
            let page = try await ledger.news(after: 1, limit: 100, organisation: TestBooks.organisation)
            #expect(page.complete && page.news.last?.version == page.version)
            let ahead = try await ledger.news(
                after: page.version + 5000, limit: 100, organisation: TestBooks.organisation)
            #expect(!ahead.complete)
            let short = try await ledger.news(after: 1, limit: 1, organisation: TestBooks.organisation)
            #expect(!short.complete && short.news.count == 1)
        }
    }

    @Test("The rules of an account are given from it up to the root, and none for an unknown one")
    func resolve() async throws {
        try await withDesk { desk async throws in
            try await desk.books.account("search")
            let path = try await desk.ledger.resolve(account: "search", organisation: TestBooks.organisation)
            #expect(path.accounts.map(\.id) == ["search", "acme"])
            #expect(path.accounts.last?.budgets.map(\.generation) == ["g1"])
            let none = try await desk.ledger.resolve(account: "nobody", organisation: TestBooks.organisation)
            #expect(none.accounts.isEmpty)
        }
    }

    private func code<T>(_ body: () async throws -> T) async -> LedgerError.Code? {
        do {
            _ = try await body()
            return nil
        } catch { return (error as? LedgerError)?.code }
    }
}
