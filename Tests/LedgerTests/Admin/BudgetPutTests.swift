// budget_put: what a budget may be, and how its opened books follow it.

import Ledger
import RedisClient
import Testing

@Suite("Putting a budget", .timeLimit(.minutes(1)))
struct BudgetPutTests {
    @Test("A new budget has the fields that were put, and defaults for the rest")
    func made() async throws {
        try await withBooks { books async throws in
            let written = try await books.budget(
                "acme", "monthly", [("steps", "7500:warn,10000:throttle:60,11000:block")])
            let row = try await books.ledger.budget(account: "acme", name: "monthly", organisation: "acme")
            #expect(row.version == written.version)
            #expect(row.amount == 1000)
            #expect(
                [row.name, row.record, row.generation, row.unit] == ["monthly", #"{"amount":1000}"#, "g1", "tokens"])
            #expect(
                [row.mode, row.steps, row.every] == ["enforce", "7500:warn,10000:throttle:60,11000:block", "month"])
            #expect(row.periods == TestBooks.periods(0..<12))
            #expect([row.nextFrom, row.abandoned, row.outage] == ["", "charge", ""])
            #expect(row.nextAmount == nil)
            #expect(row.rolloverMax == nil)
            #expect(try await books.field("generations", "g1") == "acme/monthly")
        }
    }

    @Test("A changed budget keeps its generation and what was left out")
    func changed() async throws {
        try await withBooks { books async throws in
            try await books.budget()
            let written = try await books.alter(
                ("generation", "g2"), ("mode", "shadow"), ("next_amount", "6000"), ("next_from", "m105"),
                ("rollover_max", "500"), ("abandoned", "release"), ("outage", "allow:30:10"))
            let row = try await books.ledger.budget(account: "acme", name: "monthly", organisation: "acme")
            #expect(row.version == written.version)
            #expect([row.generation, row.unit, row.mode, row.nextFrom] == ["g1", "tokens", "shadow", "m105"])
            #expect([row.abandoned, row.outage] == ["release", "allow:30:10"])
            #expect([row.amount, row.nextAmount, row.rolloverMax] == [1000, 6000, 500])
            #expect(try await books.field("generations", "g2") == nil)
        }
    }

    @Test(
        "What is wrong with a budget is named",
        arguments: [
            ("amount", ""), ("amount", "-1"), ("amount", "1e3"), ("amount", "1.5"), ("amount", " 1"), ("amount", "nan"),
            ("amount", "4503599627370497"), ("amount", "9007199254740993"), ("amount", "99999999999999999999"),
            ("rollover_max", "x"), ("rollover_max", "4503599627370497"), ("next_from", "m105"),
            ("unit", "eur"), ("mode", "soft"), ("every", "fortnight"), ("abandoned", "keep"), ("record", ""),
            ("record", String(repeating: "x", count: 65_537)), ("generation", "G1"), ("generation", ""),
            ("generation", String(repeating: "g", count: 21)), ("outage", String(repeating: "o", count: 257)),
            ("version", "1"), ("colour", "red"),
            ("steps", "8000"), ("steps", "8000:stop"), ("steps", "0:block"), ("steps", "100001:block"),
            ("steps", "10000:block:5"), ("steps", "10000:throttle"), ("steps", "10000:throttle:0"),
            ("steps", "10000:block,8000:warn"), ("steps", "8000:block,10000:reroute"),
            ("steps", "8000:block,9000:block"),
            ("steps", "8000:warn,"), ("steps", ",8000:warn"),
            ("steps", (1...9).map { "\($0):reroute" }.joined(separator: ",")),
            ("periods", ""), ("periods", "1:2"), ("periods", "2:1:m1"), ("periods", "1:2:m1,3:4:m2"),
            ("periods", "1:2:m2,2:3:m1"), ("periods", "1:2:m1,2:3:m1"), ("periods", "01:2:m1"), ("periods", "1:2:m/1"),
            ("periods", "1:2:m1"), ("periods", TestBooks.periods(0..<401)),
        ] as [(String, String)])
    func invalid(_ field: String, _ value: String) async throws {
        try await withBooks { books async throws in
            let digest = try await books.digest()
            let code = await refusal { () throws(LedgerError) in try await books.budget("acme", "b", [(field, value)]) }
            #expect(code == .invalid(pointer: "/\(field)"))
            #expect(try await books.digest() == digest)
        }
    }

    @Test("A budget by minute or hour has no stored periods")
    func arithmetic() async throws {
        try await withBooks { books async throws in
            let refused = await refusal { () throws(LedgerError) in
                try await books.budget("acme", "hourly", [("every", "hour")])
            }
            #expect(refused == .invalid(pointer: "/periods"))
            try await books.budget("acme", "hourly", [("every", "hour"), ("periods", "")])
            #expect(try await books.ledger.budgets(account: "acme", organisation: "acme").map(\.every) == ["hour"])
        }
    }

    @Test("It needs an account in use, and the account has at most eight")
    func accounts() async throws {
        try await withBooks { books async throws in
            try await books.account("team")
            _ = try await AnyChange.archiveAccount.make(books, books.change())
            for (account, name, expected) in [
                ("nobody", "b", .notFound), ("team", "b", .conflict), ("Team", "b", .invalid(pointer: "/account")),
                ("acme", "a/b", .invalid(pointer: "/budget")),
            ] as [(String, String, LedgerError.Code)] {
                let code = await refusal { () throws(LedgerError) in try await books.budget(account, name) }
                #expect(code == expected)
            }
            for index in 1...8 { try await books.budget("acme", "b\(index)", [("generation", "g\(index)")]) }
            let ninth = await refusal { () throws(LedgerError) in
                try await books.budget("acme", "b9", [("generation", "g9")])
            }
            #expect(ninth == .conflict)
            try await books.budget("acme", "b8", [("amount", "5")])
        }
    }

    @Test("A generation belongs to one budget, also after that is deleted")
    func generations() async throws {
        try await withBooks { books async throws in
            try await books.budget()
            let other = await refusal { () throws(LedgerError) in try await books.budget("acme", "other") }
            #expect(other == .conflict)
            _ = try await AnyChange.deleteBudget.make(books, books.change())
            let again = await refusal { () throws(LedgerError) in try await books.budget() }
            #expect(again == .conflict)
            try await books.budget("acme", "monthly", [("generation", "g2")])
        }
    }

    @Test("Unit and length of periods may change until a period has books", arguments: [false, true])
    func fixedByBooks(_ hasBooks: Bool) async throws {
        try await withBooks { books async throws in
            try await books.budget()
            if hasBooks { try await books.spend(1) }
            let expected: LedgerError.Code? = hasBooks ? .conflict : nil
            let unit = await refusal { () throws(LedgerError) in try await books.alter(("unit", "requests")) }
            #expect(unit == expected)
            let every = await refusal { () throws(LedgerError) in
                try await books.alter(("every", "hour"), ("periods", ""))
            }
            #expect(every == expected)
        }
    }

    @Test("A period that has books keeps its start and end; those after it may change")
    func openPeriods() async throws {
        try await withBooks { books async throws in
            try await books.budget()
            try await books.spend(1)
            let (start, length) = (TestBooks.start, TestBooks.length)
            for periods in [
                "\(start):\(start + 500_000):m100,\(start + 500_000):\(start + length):m101", TestBooks.periods(1..<13),
                TestBooks.periods(0..<12).replacing("m100", with: "m099"),
            ] {
                let code = await refusal { () throws(LedgerError) in try await books.alter(("periods", periods)) }
                #expect(code == .conflict)
            }
            try await books.alter(
                ("periods", TestBooks.periods(0..<1) + ",\(start + length):\(start + 2 * length + 7):m101"))
            // A month later the first period is over and may be left out.
            let later = books.later(TestBooks.length + 5)
            try await later.alter(("periods", "\(start + length):\(start + 2 * length + 7):m101"))
        }
    }

    @Test("The current and later books follow the budget, ended ones do not")
    func recomputed() async throws {
        try await withBooks { books async throws in
            try await books.budget()
            for period in 0...2 as ClosedRange<Int64> { try await books.spend(100, period: period) }
            let later = books.later(TestBooks.length + 5)
            try await later.alter(("amount", "3000"), ("next_amount", "5000"), ("next_from", "m102"))
            #expect(try await books.book(period: 0).allowance == 1000)
            #expect(try await books.book(period: 1).allowance == 3000)
            #expect(try await books.book(period: 2).allowance == 5000)
            #expect(try await books.book(period: 2).limit == 5000)
            for period in 0...2 as ClosedRange<Int64> {
                #expect(try await books.book(period: period).spent == 100)
                #expect(try await books.book(period: period).violations == [])
            }
        }
    }

    @Test(
        "Amounts up to 2^52 are exact in the budget and in its books",
        arguments: [4_503_599_627_370_496, 4_503_599_627_370_495, 0] as [Int64])
    func bigAmounts(_ amount: Int64) async throws {
        try await withBooks { books async throws in
            try await books.budget("acme", "monthly", [("amount", String(amount))])
            try await books.spend(4_503_599_627_370_493)
            let book = try await books.book()
            #expect(book.allowance == amount)
            #expect(book.limit == amount)
            #expect(book.spent == 4_503_599_627_370_493)
            #expect(book.available == amount - 4_503_599_627_370_493)
            try await books.alter(("amount", "4503599627370494"))
            #expect(try await books.book().allowance == 4_503_599_627_370_494)
            #expect(try await books.book().available == 1)
        }
    }
}

@Suite("What nodes are told when a budget changes", .timeLimit(.minutes(1)))
struct BudgetNewsTests {
    @Test("Granted beyond the lowest ceiling: they are asked to give back, for each period that it concerns")
    func recall() async throws {
        try await withBooks { books async throws in
            try await books.budget("acme", "monthly", [("steps", "8000:warn,9000:reroute,10000:block")])
            try await books.spend(600)
            try await books.spend(600, period: 1)
            try await books.spend(100, period: 2)
            let fits = try await books.news { try await books.alter(("amount", "667")) }
            #expect(fits == [])
            let news = try await books.news { try await books.alter(("amount", "666")) }
            #expect(news.sorted() == (0...1 as ClosedRange<Int64>).map { "recall g1 \(TestBooks.start(of: $0)) 0" })
        }
    }

    @Test("A budget that refuses nothing recalls nothing", arguments: [("mode", "shadow"), ("steps", "10000:warn")])
    func noRecall(_ change: (String, String)) async throws {
        try await withBooks { books async throws in
            try await books.budget()
            try await books.spend(600)
            let news = try await books.news { try await books.alter(("amount", "1"), change) }
            #expect(news == [])
            #expect(try await books.book().limit == -1)
        }
    }

    @Test("A raise ends refusals and says so once; a lowering does not")
    func freed() async throws {
        try await withBooks { books async throws in
            try await books.budget()
            try await books.spend(100)
            let book = books.key("book:g1:\(TestBooks.start)")
            _ = try await books.redis.send(["HSET", book, "floors", "0=950", "reached", "1"])
            let unchanged = try await books.news { try await books.alter(("record", "{}")) }
            #expect(unchanged == [])
            #expect(try await books.field("book:g1:\(TestBooks.start)", "floors") == "0=950")
            let raised = try await books.news { try await books.alter(("amount", "2000")) }
            #expect(raised == ["freed g1 \(TestBooks.start)"])
            #expect(try await books.field("book:g1:\(TestBooks.start)", "floors") == "")
            #expect(try await books.book().reached == 0)
            let again = try await books.news { try await books.alter(("amount", "3000")) }
            #expect(again == [])
        }
    }
}
