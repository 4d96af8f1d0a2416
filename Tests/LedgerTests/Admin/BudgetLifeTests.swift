// budget_delete, periods_extend, and reading budgets.

import Ledger
import RedisClient
import Testing

@Suite("The end of a budget", .timeLimit(.minutes(1)))
struct BudgetDeleteTests {
    @Test("A deleted budget is gone; its books stay and take late reports; one made again begins anew")
    func deleted() async throws {
        try await withBooks { books async throws in
            try await books.budget()
            try await books.spend(300)
            _ = try await AnyChange.deleteBudget.make(books, books.change())
            #expect(try await books.ledger.budgets(account: "acme", organisation: "acme").isEmpty)
            #expect(try await books.redis.send(["EXISTS", books.key("budget:acme/monthly")]).int == 0)
            #expect(try await books.ledger.resolve(account: "acme", organisation: "acme").accounts.first?.budgets == [])
            try await books.spend(50)
            #expect(try await books.book().spent == 350)
            try await books.budget("acme", "monthly", [("generation", "g2")])
            try await books.spend(7, generation: "g2")
            #expect(try await books.book(generation: "g2").spent == 7)
            #expect(try await books.book().spent == 350)
            // A late report opens no period of the deleted one that could grant.
            try await books.spend(9, period: 1)
            #expect(try await books.book(period: 1).allowance == 0)
            #expect(try await books.book(period: 1).spent == 9)
        }
    }

    @Test("Only a budget that exists can be deleted")
    func refusals() async throws {
        try await withBooks { books async throws in
            let (ledger, change, digest) = (books.ledger, books.change(), try await books.digest())
            for (account, name, expected) in [
                ("acme", "monthly", .notFound), ("nobody", "monthly", .notFound),
                ("acme", "", .invalid(pointer: "/budget")), ("A", "monthly", .invalid(pointer: "/account")),
            ] as [(String, String, LedgerError.Code)] {
                let code = await refusal { () throws(LedgerError) in
                    try await ledger.deleteBudget(account: account, name: name, change: change, organisation: "acme")
                }
                #expect(code == expected)
            }
            #expect(try await books.digest() == digest)
        }
    }
}

@Suite("More periods", .timeLimit(.minutes(1)))
struct PeriodsExtendTests {
    private func extend(_ books: TestBooks, _ periods: String, name: String = "monthly") async -> LedgerError.Code? {
        let (ledger, change) = (books.ledger, books.change())
        return await refusal { () throws(LedgerError) in
            try await ledger.extendPeriods(
                account: "acme", name: name, periods: periods, change: change, organisation: "acme")
        }
    }

    private func periods(_ books: TestBooks) async throws -> String {
        try await books.ledger.budget(account: "acme", name: "monthly", organisation: "acme").periods
    }

    @Test("They follow those that are stored, with or without repeating them")
    func extended() async throws {
        try await withBooks { books async throws in
            try await books.budget()
            #expect(await extend(books, TestBooks.periods(12..<14)) == nil)
            #expect(try await periods(books) == TestBooks.periods(0..<14))
            #expect(await extend(books, TestBooks.periods(0..<15)) == nil)
            #expect(try await periods(books) == TestBooks.periods(0..<15))
            let entry = try #require(try await books.events().last)
            #expect([entry.before, entry.after] == [TestBooks.periods(13..<14), TestBooks.periods(14..<15)])
        }
    }

    @Test("What is stored is not written again, and nothing is written when nothing is new")
    func writeOnce() async throws {
        try await withBooks { books async throws in
            let made = try await books.budget()
            let digest = try await books.digest()
            let same = try await books.ledger.extendPeriods(
                account: "acme", name: "monthly", periods: TestBooks.periods(3..<12), change: books.change(),
                organisation: "acme")
            #expect(same == Written(version: made.version, replayed: true))
            let (end, length) = (TestBooks.start(of: 12), TestBooks.length)
            for (text, expected) in [
                ("\(end - length):\(end + 9):m111", .conflict), ("\(end - length):\(end):m11x", .conflict),
                ("\(end - 9):\(end):m111,\(end):\(end + 9):m112", .conflict),
                ("\(end + 1):\(end + length):m112", .conflict), ("\(end):\(end + length):m111", .conflict),
                ("", .invalid(pointer: "/periods")), ("\(end):\(end):m112", .invalid(pointer: "/periods")),
            ] as [(String, LedgerError.Code)] {
                #expect(await extend(books, text) == expected)
            }
            #expect(await extend(books, TestBooks.periods(12..<13), name: "none") == .notFound)
            #expect(try await books.digest() == digest)
        }
    }

    @Test("Periods that ended more than a day ago are dropped but for the last, and may be repeated all the same")
    func dropped() async throws {
        try await withBooks { books async throws in
            try await books.budget()
            let dayAfter = books.later(TestBooks.length + 86_400 - 1)
            #expect(await extend(dayAfter, TestBooks.periods(0..<13)) == nil)
            #expect(try await periods(books) == TestBooks.periods(0..<13))
            let muchLater = books.later(2 * TestBooks.length + 86_400)
            #expect(await extend(muchLater, TestBooks.periods(0..<14)) == nil)
            #expect(try await periods(books) == TestBooks.periods(1..<14))
            #expect(await extend(muchLater, TestBooks.periods(0..<15)) == nil)
            #expect(try await periods(books) == TestBooks.periods(1..<15))
        }
    }

    @Test("A budget has at most 400 stored periods, and one by the hour has none")
    func bounded() async throws {
        try await withBooks { books async throws in
            try await books.budget()
            #expect(await extend(books, TestBooks.periods(12..<401)) == .conflict)
            #expect(await extend(books, TestBooks.periods(12..<400)) == nil)
            #expect(await extend(books, TestBooks.periods(399..<401)) == .conflict)
            try await books.budget("acme", "hourly", [("every", "hour"), ("periods", ""), ("generation", "g2")])
            #expect(await extend(books, TestBooks.periods(0..<2), name: "hourly") == .conflict)
        }
    }

    @Test("A book that was opened before its period was stored gets its allowance")
    func openedEarly() async throws {
        try await withBooks { books async throws in
            try await books.budget()
            try await books.spend(5, period: 12)
            #expect(try await books.book(period: 12).allowance == 0)
            #expect(await extend(books, TestBooks.periods(12..<13)) == nil)
            let book = try await books.book(period: 12)
            #expect([book.allowance, book.spent, book.end] == [1000, 5, TestBooks.start(of: 13)])
            #expect(book.periodID == "m112")
        }
    }
}

@Suite("Reading budgets", .timeLimit(.minutes(1)))
struct BudgetReadTests {
    @Test("The budgets of an account come by name; unknown ones are not found")
    func list() async throws {
        try await withBooks { books async throws in
            let ledger = books.ledger
            #expect(try await ledger.budgets(account: "acme", organisation: "acme").isEmpty)
            for name in ["b", "c", "a"] { try await books.budget("acme", name, [("generation", "g\(name)")]) }
            let rows = try await ledger.budgets(account: "acme", organisation: "acme")
            #expect(rows.map(\.name) == ["a", "b", "c"])
            #expect(rows.map(\.generation) == ["ga", "gb", "gc"])
            for (account, name) in [("acme", "d"), ("nobody", "a"), ("acme", "")] {
                let code = await refusal { () throws(LedgerError) in
                    try await ledger.budget(account: account, name: name, organisation: "acme")
                }
                #expect(code == .notFound)
            }
            let code = await refusal { () throws(LedgerError) in
                try await ledger.budgets(account: "nobody", organisation: "acme")
            }
            #expect(code == .notFound)
        }
    }
}
