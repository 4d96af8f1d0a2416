// The close of a period: its final statement, what the next one inherits, and what is trimmed later.

@testable import Ledger
@testable import QuotaCore
import RedisClient
import Testing

@Suite("The close of a period", .timeLimit(.minutes(1)))
struct ClosingTests {
    static let next = LeaseKey(generation: "g1", start: TestBooks.start(of: 1))
    /// The end of the first period, ms, and its close: end + 3,600 s + time to live.
    static let end = TestBooks.start(of: 1) * 1000
    static let close = end + 3_600_000 + 3000
    static let retention: Int64 = 259_200_000
    static let rollover: [(String, String)] = [("steps", "10000:block"), ("rollover_max", "500")]

    private func close(_ desk: Desk) async throws {
        _ = try await desk.ledger.closePeriods(organisation: TestBooks.organisation)
        try await desk.check()
    }

    private func statement(_ desk: Desk, _ key: LeaseKey = Desk.key) async throws -> Statement? {
        try await desk.ledger.statement(
            generation: key.generation, start: key.start, organisation: TestBooks.organisation)
    }

    @Test("It comes 3,600 s and one time to live after the end, and its statement adds up")
    func statement() async throws {
        try await withDesk(Self.rollover) { desk async throws in
            _ = try await desk.ledger.putAdjustment(
                account: "acme", budget: "monthly", id: "a1", amount: -100, expires: .periodEnd,
                periodStart: TestBooks.start, record: "{}", change: desk.books.change(), organisation: "acme")
            try await desk.tell("dead", need: 200)
            try await desk.tell("dead", used: 50)
            _ = try await desk.charge("c", 30)
            desk.now = Self.close - 1
            try await close(desk)
            #expect(try await statement(desk) == nil)
            desk.now += 1
            try await close(desk)
            let statement = try #require(try await statement(desk))
            #expect(statement.periodID == "m100" && statement.end * 1000 == Self.end)
            #expect([statement.amount, statement.adjusted, statement.allowance] == [1000, -100, 900])
            #expect([statement.spent, statement.direct, statement.leased, statement.inDoubt] == [80, 30, 0, 150])
            #expect(statement.committed == 230 && statement.limit == 900 && statement.rolledOver == 500)
            #expect(statement.closedAt == Self.close && statement.late == 0 && statement.lateAt == nil)
            #expect(try await desk.events("period.closed") == 1)
            try await close(desk)
            #expect(try await desk.events("period.closed") == 1)
        }
    }

    @Test("What comes late is shown apart with its time; the statement and the next period stay as they are")
    func late() async throws {
        try await withDesk(Self.rollover) { desk async throws in
            try await desk.tell("a", need: 700)
            desk.now = Self.end + 1000
            #expect(try await desk.tell("b", Self.next, need: 1).lease.allowance == 1300)
            desk.now = Self.close
            try await close(desk)
            let before = try #require(try await statement(desk))
            let digest = try await desk.figures(Self.next)
            desk.now += 1000
            try await desk.tell("a", used: 100, returned: 600)
            _ = try await desk.charge("late", 25)
            var after = try #require(try await statement(desk))
            #expect(after.late == 125 && after.lateAt == desk.now)
            (after.late, after.lateAt) = (0, nil)
            #expect(after == before)
            #expect(try await desk.figures(Self.next).allowance == digest.allowance)
            #expect(try await desk.figures().spent == 125)
        }
    }

    @Test(
        "The next period inherits a provisional rest and is corrected once, at the close",
        arguments: [(0, 400, 700), (0, 700, 800), (900, 0, 100), (1200, 0, 0), (700, 0, 300)]
            as [(Int64, Int64, Int64)])
    func corrected(used: Int64, returned: Int64, final: Int64) async throws {
        try await withDesk([("steps", "10000:block"), ("rollover_max", "800")]) { desk async throws in
            try await desk.tell("a", need: 700)
            desk.now = Self.end
            try await desk.tell("b", Self.next, need: 1300)
            #expect(try await desk.figures(Self.next).rollover == 300)
            try await desk.tell("a", used: used, returned: returned)
            #expect(try await desk.figures(Self.next).rollover == 300)
            desk.now = Self.close
            try await close(desk)
            let next = try await desk.figures(Self.next)
            #expect([next.rollover, next.allowance, next.limit] == [final, 1000 + final, 1000 + final])
            #expect(next.committed == 1300 && next.available == final - 300)
            #expect(try await statement(desk)?.rolledOver == final)
            #expect(try await desk.events("rollover.corrected") == (final == 300 ? 0 : 1))
            try await close(desk)
            #expect(try await desk.figures(Self.next) == next)
        }
    }

    @Test("A correction leaves an amount that was changed meanwhile, and a raise lets refused needs ask again")
    func difference() async throws {
        try await withDesk(Self.rollover) { desk async throws in
            try await desk.tell("a", need: 1000)
            desk.now = Self.end
            #expect(try await desk.verdict("b", Self.next, need: 1001) == .refused([Self.next]))
            try await desk.tell("a", used: 700, returned: 300)
            _ = try await desk.ledger.putBudget(
                account: "acme", name: "monthly", fields: [("amount", "2000")], change: desk.books.change(),
                organisation: "acme")
            desk.now = Self.close
            try await close(desk)
            #expect(try await desk.figures(Self.next).allowance == 2300)
            #expect(try await desk.verdict("b", Self.next, need: 2300) == .granted)
        }
    }

    @Test("A period that nobody used leaves its allowance, up to the cap", arguments: [false, true])
    func unused(_ isClosed: Bool) async throws {
        try await withDesk(Self.rollover) { desk async throws in
            desk.now = TestBooks.start(of: 2) * 1000
            if isClosed { desk.now += 2 * 3_600_000 }
            let key = LeaseKey(generation: "g1", start: TestBooks.start(of: 2))
            try await desk.tell("a", key, need: 1500)
            if isClosed { try await close(desk) }
            #expect(try await desk.figures(key).rollover == 500)
        }
    }

    @Test("A period that is opened after the close inherits what the statement says, whatever the rule is by then")
    func inheritsStatement() async throws {
        try await withDesk(Self.rollover) { desk async throws in
            _ = try await desk.charge("c", 900)
            desk.now = Self.close
            try await close(desk)
            _ = try await desk.charge("late", 90)
            _ = try await desk.ledger.putBudget(
                account: "acme", name: "monthly", fields: [("rollover_max", "10")], change: desk.books.change(),
                organisation: "acme")
            try await desk.tell("a", Self.next, need: 1)
            #expect(try await desk.figures(Self.next).rollover == 100)
        }
    }

    @Test("What others took for a dead session is in the statement")
    func inbox() async throws {
        try await withDesk(Self.rollover) { desk async throws in
            try await desk.exchange(
                "a", next: 2, opened: [1], [desk.report("a")],
                groups: [[Need(key: Desk.key, amount: 100, level: 0, token: false)]])
            #expect(try await desk.settle("a", 1, charge: 60, hold: 100) == .kept)
            desk.now = Self.close
            try await close(desk)
            #expect(try await statement(desk)?.spent == 60)
        }
    }

    @Test("While the books recover nothing is closed")
    func recovering() async throws {
        try await withDesk(Self.rollover) { desk async throws in
            _ = try await desk.charge("c", 10)
            desk.now = Self.close
            desk.server = "b2"
            try await close(desk)
            #expect(try await statement(desk) == nil)
            desk.now += 3000
            try await close(desk)
            #expect(try await statement(desk)?.spent == 10)
        }
    }

    @Test("Periods of minutes close in their order, each with what the one before left")
    func minutes() async throws {
        try await withDesk([("every", "minute"), ("periods", ""), ("rollover_max", "500")]) { desk async throws in
            desk.now = (TestBooks.start + 1200) * 1000
            for minute in 20..<25 as Range<Int64> {
                let key = LeaseKey(generation: "g1", start: TestBooks.start + minute * 60)
                _ = try await desk.charge("c\(minute)", 900, key: key)
                try await desk.tell("a", key, need: 100)
                desk.now += 60_000
                if minute == 22 { try await desk.tell("a", key, used: 0, returned: 100) }
            }
            desk.now += 2 * 3_600_000
            try await close(desk)
            let statements = try await desk.ledger.statements(generation: "g1", organisation: "acme").reversed()
            #expect(statements.count == 5)
            for (before, after) in zip(statements, statements.dropFirst()) {
                #expect(before.rolledOver == after.rollover && after.allowance == 1000 + after.rollover)
            }
            #expect(statements.map(\.rollover) == [0, 0, 0, 100, 100])
        }
    }

    @Test("A deleted budget grants nothing more, takes late reports and is closed as if it ended then")
    func deleted() async throws {
        try await withDesk(Self.rollover) { desk async throws in
            try await desk.tell("a", need: 100)
            _ = try await desk.ledger.deleteBudget(
                account: "acme", name: "monthly", change: desk.books.change(), organisation: "acme")
            let late = try await desk.tell("a", used: 60, want: 500, demand: 500, need: 100)
            #expect(late.verdict == .closed && late.lease.granted == 100)
            desk.now += 3_600_000 + 3000
            try await close(desk)
            #expect(try await statement(desk)?.spent == 60)
            #expect(try await desk.tell("a", used: 70).lease.spent == 70)
            #expect(try await statement(desk)?.late == 10)
        }
    }
}

@Suite("What is trimmed after the close", .timeLimit(.minutes(1)))
struct TrimmingTests {
    private func names(_ desk: Desk) async throws -> Set<String> {
        Set((try await desk.books.redis.send(["KEYS", "*"]).array ?? []).compactMap(\.string))
    }

    private func close(_ desk: Desk) async throws {
        _ = try await desk.ledger.closePeriods(organisation: TestBooks.organisation)
        try await desk.check()
    }

    private func trimmable(_ desk: Desk) async throws {
        try await desk.tell("a", need: 100)
        try await desk.tell("a", used: 60, returned: 40)
        desk.now = ClosingTests.close
        try await close(desk)
    }

    @Test("Three days later its book and rows go, its statement stays; the session holds it no more")
    func trimmed() async throws {
        try await withDesk(ClosingTests.rollover) { desk async throws in
            try await trimmable(desk)
            desk.now += ClosingTests.retention - 1
            try await desk.tell("b", ClosingTests.next, need: 1)
            try await close(desk)
            let name = "g1:\(TestBooks.start)"
            #expect(try await names(desk).contains(desk.books.key("book:" + name)))
            desk.now += 1
            try await close(desk)
            let left = try await names(desk)
            #expect(!left.contains { $0.hasSuffix(name) })
            #expect(try await desk.books.redis.send(["SISMEMBER", desk.books.key("held:a"), name]).int == 0)
            #expect(try await desk.books.redis.send(["ZSCORE", desk.books.key("closing"), name]) == .null)
            #expect(
                try await desk.ledger.statement(generation: "g1", start: TestBooks.start, organisation: "acme")?.spent
                    == 60)
        }
    }

    @Test("A book with money that its session may still tell of stays")
    func outstanding() async throws {
        try await withDesk(ClosingTests.rollover) { desk async throws in
            try await desk.tell("a", need: 100)
            desk.now = ClosingTests.close
            try await close(desk)
            desk.now += ClosingTests.retention
            try await close(desk)
            #expect(try await desk.figures().inDoubt == 100)
        }
    }

    @Test("A report for a trimmed period opens its book anew from the statement, and counts as late")
    func reopened() async throws {
        try await withDesk(ClosingTests.rollover) { desk async throws in
            try await trimmable(desk)
            desk.now += ClosingTests.retention
            try await close(desk)
            _ = try await desk.charge("late", 7)
            let book = try await desk.figures()
            #expect([book.allowance, book.spent, book.committed] == [1000, 67, 67])
            #expect(try await desk.tell("b", need: 1).verdict == .closed)
            let statement = try #require(
                try await desk.ledger.statement(generation: "g1", start: TestBooks.start, organisation: "acme"))
            #expect([statement.spent, statement.late, statement.lateAt] == [60, 7, desk.now])
            desk.now += 2 * ClosingTests.retention
            try await close(desk)
            let again = try await desk.ledger.statement(
                generation: "g1", start: TestBooks.start, organisation: "acme")
            #expect(again == statement)
            #expect(try await desk.events("period.closed") == 1)
        }
    }

    @Test("A call closes no more than it was asked for")
    func bounded() async throws {
        try await withDesk([("every", "minute"), ("periods", "")]) { desk async throws in
            for minute in 0..<7 as Range<Int64> {
                let key = LeaseKey(generation: "g1", start: TestBooks.start + minute * 60)
                _ = try await desk.charge("c\(minute)", 1, key: key)
            }
            desk.now += 9 * 3_600_000
            #expect(try await desk.ledger.closePeriods(limit: 5, organisation: "acme"))
            #expect(try await desk.ledger.statements(generation: "g1", organisation: "acme").count == 5)
            #expect(try await !desk.ledger.closePeriods(limit: 5, organisation: "acme"))
            #expect(try await desk.ledger.statements(generation: "g1", limit: 3, organisation: "acme").count == 3)
            let page = try await desk.ledger.statements(
                generation: "g1", before: TestBooks.start + 120, organisation: "acme")
            #expect(page.map(\.start) == [TestBooks.start + 60, TestBooks.start])
        }
    }
}
