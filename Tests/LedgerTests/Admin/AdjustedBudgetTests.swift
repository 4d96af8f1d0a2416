// budget_put and adjustment_put together: what adjustments bind a budget to.

import Ledger
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
}
