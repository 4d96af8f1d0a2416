// A period that is over: late reports reach its book, changes of the rules do not.

import Ledger
import Testing

@Suite("The book of a period that is over", .timeLimit(.minutes(1)))
struct EndedBookTests {
    @Test(
        "It keeps its allowance when an adjustment that held to its end expires later",
        arguments: [false, true])
    func keepsItsAllowance(_ isLowered: Bool) async throws {
        try await withBooks { books async throws in
            try await books.budget()
            let expires = AdjustmentEnd.at((TestBooks.start(of: 1) + 1000) * 1000)
            _ = try await books.ledger.putAdjustment(
                account: "acme", budget: "monthly", id: "a1", amount: 250, expires: expires,
                periodStart: TestBooks.start, record: "{}", change: books.change(), organisation: "acme")
            try await books.spend(1200)
            if isLowered { try await books.later(TestBooks.length + 10).alter(("amount", "400")) }
            try await books.later(TestBooks.length + 2000).spend(1)
            let book = try await books.book()
            #expect([book.allowance, book.spent] == [1250, 1201])
            #expect(book.violations == [])
        }
    }

    @Test("While it is current, its allowance follows an adjustment that expires")
    func followsWhileCurrent() async throws {
        try await withBooks { books async throws in
            try await books.budget()
            _ = try await books.ledger.putAdjustment(
                account: "acme", budget: "monthly", id: "a1", amount: 250,
                expires: .at((TestBooks.start + 5000) * 1000), periodStart: TestBooks.start, record: "{}",
                change: books.change(), organisation: "acme")
            try await books.spend(1)
            try await books.later(5001).spend(1)
            #expect(try await books.book().allowance == 1000)
        }
    }
}
