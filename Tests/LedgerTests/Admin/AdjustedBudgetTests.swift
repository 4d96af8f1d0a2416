// budget_put and adjustment_put together: what adjustments bind a budget to, and how they make room for new ones.

import Ledger
import RedisClient
import Testing

@Suite("A budget with adjustments", .timeLimit(.minutes(1)))
struct AdjustedBudgetTests {
    private func put(
        _ books: TestBooks, _ id: String, _ amount: Int64, _ expires: AdjustmentEnd, period: Int64 = 0
    ) async -> LedgerError.Code? {
        let (ledger, change) = (books.ledger, books.change())
        return await refusal { () throws(LedgerError) in
            try await ledger.putAdjustment(
                account: "acme", budget: "monthly", id: id, amount: amount, expires: expires,
                periodStart: TestBooks.start(of: period), record: "{}", change: change, organisation: "acme")
        }
    }

    private func ids(_ books: TestBooks) async throws -> Set<String> {
        let rows = try await books.ledger.adjustments(account: "acme", budget: "monthly", organisation: "acme")
        return Set(rows.map(\.id))
    }

    @Test("It keeps its unit and the length of its periods: the amounts are in that unit, for those periods")
    func keepsItsUnit() async throws {
        try await withBooks { books async throws in
            try await books.budget()
            #expect(await put(books, "a1", 250, .never) == nil)
            let digest = try await books.digest()
            let unit = await refusal { () throws(LedgerError) in try await books.alter(("unit", "usd")) }
            #expect(unit == .conflict)
            let every = await refusal { () throws(LedgerError) in
                try await books.alter(("every", "hour"), ("periods", ""))
            }
            #expect(every == .conflict)
            #expect(try await books.digest() == digest)
            _ = try await AnyChange.deleteAdjustment.make(books, books.change())
            try await books.alter(("unit", "usd"))
        }
    }

    @Test(
        "A period in which one begins keeps its start until it is over",
        arguments: [.periodEnd, .never, .at((TestBooks.start + 9_000_000) * 1000)] as [AdjustmentEnd])
    func keepsItsStart(_ expires: AdjustmentEnd) async throws {
        try await withBooks { books async throws in
            try await books.budget()
            #expect(await put(books, "a1", 250, expires, period: 1) == nil)
            let (start, length) = (TestBooks.start, TestBooks.length)
            // The second period begins a week later, or not at all; the third one is where it was.
            let shifted =
                "\(start):\(start + length + 604_800):m100,\(start + length + 604_800):\(start + 2 * length):m101,"
                + TestBooks.periods(2..<12)
            let without = "\(start):\(start + 2 * length):m100," + TestBooks.periods(2..<12)
            let digest = try await books.digest()
            for periods in [shifted, without] {
                let code = await refusal { () throws(LedgerError) in try await books.alter(("periods", periods)) }
                #expect(code == .conflict)
            }
            #expect(try await books.digest() == digest)
            // Other periods may change, and its own end.
            let longer = "\(start + length):\(start + 2 * length + 604_800):m101"
            try await books.alter(("periods", TestBooks.periods(0..<1) + "," + longer))
            try await books.alter(("periods", TestBooks.periods(0..<12)))
            try await books.later(2 * length).alter(("periods", TestBooks.periods(2..<12)))
        }
    }

    @Test("At a thousand the one that ended first makes room, a day after its end, and none that still holds")
    func makesRoom() async throws {
        try await withBooks { books async throws in
            try await books.budget()
            #expect(await put(books, "first", 250, .periodEnd) == nil)
            #expect(await put(books, "second", 250, .at((TestBooks.start(of: 1) + 100) * 1000)) == nil)
            let fill = RedisScript(
                name: "fill",
                source: """
                    for i = 1, 998 do redis.call('HSET', KEYS[1], 'f' .. i, '1 never ' .. ARGV[1] .. ' ' .. i .. ' {}') end
                    """)
            _ = try await books.redis.eval(
                fill, keys: [books.key("adjustments:g1")], arguments: [String(TestBooks.start)])
            let end = TestBooks.length
            let soon = books.later(end + 86_399)
            try await soon.spend(1, period: 1)
            let digest = try await books.digest()
            #expect(await put(soon, "third", 5, .never, period: 1) == .conflict)
            #expect(try await books.digest() == digest)
            let later = books.later(end + 86_400)
            #expect(await put(later, "third", 5, .never, period: 1) == nil)
            #expect(await put(later, "fourth", 7, .never, period: 1) == .conflict)
            #expect(await put(books.later(end + 86_500), "fourth", 7, .never, period: 1) == nil)
            #expect(await put(books.later(end + 999_999), "fifth", 9, .never, period: 1) == .conflict)
            let ids = try await ids(books)
            #expect(ids.count == 1000)
            #expect(ids.isDisjoint(with: ["first", "second", "fifth"]))
            #expect(ids.isSuperset(of: ["third", "fourth", "f1", "f998"]))
            #expect(try await books.book(period: 1).allowance == 1000 + 998 + 5 + 7)
            #expect(try await books.events().filter { $0.kind == "adjustment.put" }.count == 4)
        }
    }

    @Test("One whose period is no longer stored is over")
    func forgottenPeriod() async throws {
        try await withBooks { books async throws in
            try await books.budget()
            #expect(await put(books, "old", 250, .periodEnd) == nil)
            let fill = RedisScript(
                name: "fill",
                source: "for i = 1, 999 do redis.call('HSET', KEYS[1], 'f' .. i, '1 never 0 ' .. i .. ' {}') end")
            _ = try await books.redis.eval(fill, keys: [books.key("adjustments:g1")], arguments: [])
            let later = books.later(2 * TestBooks.length)
            try await later.alter(("periods", TestBooks.periods(2..<12)))
            #expect(await put(later, "new", 250, .periodEnd, period: 2) == nil)
            #expect(try await ids(books).contains("old") == false)
            #expect(await put(later, "newer", 250, .periodEnd, period: 2) == .conflict)
        }
    }
}
