// adjustment_put, adjustment_delete, adjustments_list.

import Ledger
import RedisClient
import Testing

@Suite("Adjustments", .timeLimit(.minutes(1)))
struct AdjustmentScriptTests {
    private func put(
        _ books: TestBooks, _ id: String, _ amount: Int64, _ expires: AdjustmentEnd = .periodEnd, period: Int64 = 0,
        budget: String = "monthly", record: String = "{}"
    ) async -> LedgerError.Code? {
        let (ledger, change) = (books.ledger, books.change())
        return await refusal { () throws(LedgerError) in
            try await ledger.putAdjustment(
                account: "acme", budget: budget, id: id, amount: amount, expires: expires,
                periodStart: TestBooks.start(of: period), record: record, change: change, organisation: "acme")
        }
    }

    private func delete(_ books: TestBooks, _ id: String) async -> LedgerError.Code? {
        let (ledger, change) = (books.ledger, books.change())
        return await refusal { () throws(LedgerError) in
            try await ledger.deleteAdjustment(
                account: "acme", budget: "monthly", id: id, change: change, organisation: "acme")
        }
    }

    private func allowances(_ books: TestBooks, _ periods: ClosedRange<Int64>) async throws -> [Int64] {
        var list: [Int64] = []
        for period in periods { list.append(try await books.book(period: period).allowance) }
        return list
    }

    @Test("It holds in the periods that it says, in opened books and in those opened later")
    func holds() async throws {
        try await withBooks { books async throws in
            try await books.budget()
            for period in 0...2 as ClosedRange<Int64> { try await books.spend(1, period: period) }
            #expect(await put(books, "a1", 250) == nil)
            #expect(try await allowances(books, 0...2) == [1250, 1000, 1000])
            #expect(await put(books, "a2", -100, .periodEnd, period: 1) == nil)
            #expect(try await allowances(books, 0...2) == [1250, 900, 1000])
            #expect(await put(books, "a3", 7, .never, period: 1) == nil)
            #expect(await put(books, "a4", 30, .at(TestBooks.start(of: 3) * 1000), period: 2) == nil)
            try await books.spend(1, period: 3)
            #expect(try await allowances(books, 0...3) == [1250, 907, 1037, 1037])
            #expect(await delete(books, "a1") == nil)
            #expect(await delete(books, "a3") == nil)
            #expect(try await allowances(books, 0...3) == [1000, 900, 1030, 1030])
            for period in 0...3 as ClosedRange<Int64> { #expect(try await books.book(period: period).violations == []) }
        }
    }

    @Test("Taking one back leaves ended periods what they had")
    func endedPeriods() async throws {
        try await withBooks { books async throws in
            try await books.budget()
            #expect(await put(books, "a1", 250, .never) == nil)
            try await books.spend(1)
            try await books.spend(1, period: 1)
            let later = books.later(TestBooks.length + 5)
            #expect(await delete(later, "a1") == nil)
            #expect(try await allowances(books, 0...1) == [1250, 1000])
        }
    }

    @Test("A cut below what is granted recalls; more than everything leaves nothing")
    func cut() async throws {
        try await withBooks { books async throws in
            try await books.budget()
            try await books.spend(800)
            let news = try await books.news {
                try await books.ledger.putAdjustment(
                    account: "acme", budget: "monthly", id: "cut", amount: -5000, expires: .periodEnd,
                    periodStart: TestBooks.start, record: "{}", change: books.change(), organisation: "acme")
            }
            #expect(news == ["recall g1 \(TestBooks.start) 0"])
            #expect(try await books.book().allowance == 0)
            #expect(try await books.book().adjusted == -5000)
            #expect(try await books.book().available == -800)
        }
    }

    @Test("Amounts around 2^53 are exact or refused, alone and together")
    func bigAmounts() async throws {
        try await withBooks { books async throws in
            let most: Int64 = 4_503_599_627_370_496
            try await books.budget("acme", "monthly", [("amount", String(most))])
            try await books.spend(1)
            for amount in [most + 1, -most - 1, 9_007_199_254_740_993, .max, .min] {
                #expect(await put(books, "big", amount) == .invalid(pointer: "/amount"))
            }
            #expect(await put(books, "low", -(most - 1)) == nil)
            #expect(try await books.book().allowance == 1)
            // Together with the first one it would leave the exact integers, though their sum would not.
            #expect(await put(books, "two", 2) == .conflict)
            #expect(await put(books, "one", 1) == nil)
            #expect(try await books.book().allowance == 2)
            #expect(await delete(books, "low") == nil)
            // No allowance is above the largest amount.
            #expect(try await books.book().allowance == most)
            let rows = try await books.ledger.adjustments(account: "acme", budget: "monthly", organisation: "acme")
            #expect(rows.map(\.amount) == [1])
        }
    }

    @Test("What is wrong with one is named")
    func refusals() async throws {
        try await withBooks { books async throws in
            try await books.budget()
            let now = (TestBooks.start + 1000) * 1000
            #expect(await put(books, "a1", 1) == nil)
            let digest = try await books.digest()
            #expect(await put(books, "a1", 1) == .conflict)
            #expect(await put(books, "A", 1) == .invalid(pointer: "/id"))
            #expect(await put(books, "a2", 0) == .invalid(pointer: "/amount"))
            #expect(await put(books, "a2", 1, .at(now)) == .conflict)
            #expect(await put(books, "a2", 1, .at(-1)) == .invalid(pointer: "/expires"))
            #expect(await put(books, "a2", 1, period: 12) == .invalid(pointer: "/period"))
            #expect(await put(books, "a2", 1, budget: "none") == .notFound)
            #expect(await put(books, "a2", 1, record: "") == .invalid(pointer: "/record"))
            #expect(
                await put(books, "a2", 1, record: String(repeating: "x", count: 4097)) == .invalid(pointer: "/record"))
            #expect(await put(books.later(TestBooks.length), "a2", 1) == .conflict)
            #expect(await delete(books, "a2") == .notFound)
            #expect(await delete(books, "A") == .invalid(pointer: "/id"))
            let ledger = books.ledger
            let there = books.change(expected: 0)
            let taken = await refusal { () throws(LedgerError) in
                try await ledger.putAdjustment(
                    account: "acme", budget: "monthly", id: "a1", amount: 1, expires: .never,
                    periodStart: TestBooks.start, record: "{}", change: there, organisation: "acme")
            }
            #expect(taken == .precondition)
            #expect(try await books.digest() == digest)
        }
    }

    @Test("A budget has at most a thousand")
    func bounded() async throws {
        try await withBooks { books async throws in
            try await books.budget()
            let fill = RedisScript(
                name: "fill",
                source: "for i = 1, 999 do redis.call('HSET', KEYS[1], 'f' .. i, '1 never 0 ' .. i .. ' {}') end")
            _ = try await books.redis.eval(fill, keys: [books.key("adjustments:g1")], arguments: [])
            #expect(await put(books, "last", 1) == nil)
            #expect(await put(books, "beyond", 1) == .conflict)
            #expect(await delete(books, "f7") == nil)
            #expect(await put(books, "beyond", 1) == nil)
        }
    }

    @Test("They are listed oldest first, as they were put")
    func listed() async throws {
        try await withBooks { books async throws in
            try await books.budget()
            let end = TestBooks.start(of: 2) * 1000
            #expect(await put(books, "z", 5, .at(end), period: 1, record: #"{"reason":"more  spaces"}"#) == nil)
            #expect(await put(books.later(2000), "a", -5, .never) == nil)
            let rows = try await books.ledger.adjustments(account: "acme", budget: "monthly", organisation: "acme")
            #expect(rows.map(\.id) == ["z", "a"])
            #expect(rows.map(\.amount) == [5, -5])
            #expect(rows.map(\.expires) == [.at(end), .never])
            #expect(rows.map(\.periodStart) == [TestBooks.start(of: 1), TestBooks.start])
            #expect(rows.map(\.createdAt) == [(TestBooks.start + 1000) * 1000, (TestBooks.start + 2000) * 1000])
            #expect(rows.map(\.record) == [#"{"reason":"more  spaces"}"#, "{}"])
            let ledger = books.ledger
            let code = await refusal { () throws(LedgerError) in
                try await ledger.adjustments(account: "acme", budget: "none", organisation: "acme")
            }
            #expect(code == .notFound)
        }
    }
}
