// Budget periods in the books: charges without a lease, changes midway, warnings, ends, tombstones, great amounts.

@testable import Ledger
@testable import QuotaCore
import RedisClient
import Testing

@Suite struct PeriodTests {
    @Test("A charge without a reservation always books, once per id")
    func charges() async throws {
        try await withDesk { desk async throws in
            #expect(try await desk.charge("c1", 900))
            #expect(try await !desk.charge("c1", 900))
            #expect(try await desk.charge("c2", 200))
            let figures = try await desk.figures()
            #expect(figures.spent == 1100 && figures.direct == 1100 && figures.available == -100)
            #expect(try await desk.tell("a", need: 1).verdict == .refused([Desk.key]))
        }
    }

    @Test("An adjustment midway changes the allowance and keeps what was spent, until it expires")
    func adjustments() async throws {
        try await withDesk { desk async throws in
            try await desk.tell("a", need: 1000)
            try await desk.tell("a", used: 600)
            #expect(try await desk.tell("b", need: 100).verdict == .refused([Desk.key]))
            let end = desk.now + 5000
            _ = try await desk.ledger.putAdjustment(
                account: TestBooks.organisation, budget: "monthly", id: "extra", amount: 500, expires: .at(end),
                periodStart: TestBooks.start, record: "{}", change: desk.books.change(),
                organisation: TestBooks.organisation)
            let raised = try await desk.figures()
            #expect(raised.allowance == 1500 && raised.spent == 600 && raised.available == 500)
            desk.now = end
            try await desk.tell("a")
            let lowered = try await desk.figures()
            #expect(lowered.allowance == 1000 && lowered.spent == 600 && lowered.available == 0)
        }
    }

    @Test("A warn step is announced once per period, whoever spends, and doubt counts as spent")
    func warnings() async throws {
        try await withDesk([("steps", "5000:warn,8000:warn,10000:block")]) { desk async throws in
            _ = try await desk.charge("c", 499)
            #expect(try await desk.events("budget.warned") == 0)
            _ = try await desk.charge("d", 1)
            _ = try await desk.charge("e", 1)
            #expect(try await desk.events("budget.warned") == 1)
            try await desk.tell("a", need: 300)
            #expect(try await desk.events("budget.warned") == 1)
            desk.now += 3001
            try await desk.tell("b")
            desk.now += 1000
            try await desk.tell("b")
            #expect(try await desk.events("budget.warned") == 2)
        }
    }

    @Test("A doubt that was resolved is no longer shown")
    func doubt() async throws {
        try await withDesk { desk async throws in
            try await desk.tell("a", need: 300)
            desk.now += 3001
            #expect(try await desk.tell("b").lease.doubt == 300)
            try await desk.tell("a", used: 100, returned: 200)
            #expect(try await desk.tell("b").lease.doubt == 0)
        }
    }

    @Test("Nothing is granted after the end of a period, but reports for it are kept")
    func end() async throws {
        try await withDesk { desk async throws in
            try await desk.tell("a", need: 100)
            desk.now = TestBooks.start(of: 1) * 1000 - 1
            #expect(try await desk.tell("a", used: 10, need: 100).verdict == .granted)
            desk.now += 1
            let late = try await desk.tell("a", used: 60, want: 500, demand: 500, need: 100)
            #expect(late.verdict == .closed && late.lease.granted == 200)
            #expect(try await desk.figures().spent == 60)
        }
    }

    @Test("The next period can be leased ahead, from its own allowance")
    func ahead() async throws {
        try await withDesk { desk async throws in
            let next = LeaseKey(generation: "g1", start: TestBooks.start(of: 1))
            try await desk.tell("a", need: 1000)
            #expect(try await desk.tell("a", next, need: 400).verdict == .granted)
            #expect(try await desk.figures(next).available == 600)
        }
    }

    @Test("A period or a budget that the books don't have grants nothing and keeps late reports")
    func tombstones() async throws {
        try await withDesk { desk async throws in
            let odd = LeaseKey(generation: "g1", start: TestBooks.start + 5)
            #expect(try await desk.tell("a", odd, used: 7, need: 1).verdict == .closed)
            let next = LeaseKey(generation: "g1", start: TestBooks.start(of: 1))
            _ = try await desk.ledger.deleteBudget(
                account: TestBooks.organisation, name: "monthly", change: desk.books.change(),
                organisation: TestBooks.organisation)
            let late = try await desk.tell("a", next, used: 9, want: 50, demand: 50, need: 1)
            #expect(late.verdict == .closed)
            #expect(try await desk.figures(next).spent == 9)
        }
    }

    @Test(
        "Great amounts stay exact to the unit, up to 2^52",
        arguments: [1_000_000_000_000_001, 4_503_599_627_370_495] as [Int64])
    func greatAmounts(amount: Int64) async throws {
        try await withDesk([("steps", "10000:block"), ("amount", String(amount))]) { desk async throws in
            let most = Int64(4_503_599_627_370_496)
            #expect(try await desk.tell("a", need: most).verdict == .refused([Desk.key]))
            #expect(try await desk.tell("a", need: amount - 1).verdict == .granted)
            #expect(try await desk.verdict("b", need: 2) == .refused([Desk.key]))
            try await desk.tell("a", used: amount - 2)
            #expect(try await desk.tell("b", need: 1).verdict == .granted)
            _ = try await desk.charge("c", most)
            let figures = try await desk.figures()
            #expect(figures.spent == amount - 2 + most && figures.committed == amount + most)
        }
    }

    @Test("A ceiling far above a great allowance stays an amount")
    func greatCeiling() async throws {
        try await withDesk([("steps", "100000:block"), ("amount", "4503599627370496")]) { desk async throws in
            #expect(try await desk.tell("a", need: 1).lease.limit == 4_503_599_627_370_496)
        }
    }
}
