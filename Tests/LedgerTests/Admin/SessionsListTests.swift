// sessions_list, reservations_list: what an exchange leaves is what people see.

import RedisClient
import Testing

@testable import Ledger

@Suite("Sessions and their reservations", .timeLimit(.minutes(1)))
struct SessionsListTests {
    /// One exchange that opens reservations on a lease of the budget `monthly`.
    private func exchange(_ books: TestBooks, _ session: String, opened: [Int64], goodbye: Bool = false) async throws {
        let next = (opened.last ?? 0) + 1
        _ = try await books.ledger.run(
            LedgerScript.exchange, organisation: "acme",
            [
                session, "1", "", "0", "3", goodbye ? "1" : "0", String(next),
                opened.map { String($0) }.joined(separator: ","), "", "", "node-\(session)", "http://\(session)", "0",
                "1", "g1", String(TestBooks.start), "0", "0", "0", "10", "10", "0", "0",
            ])
    }

    @Test("A session shows who it is, what it acknowledged, and how much it holds")
    func sessions() async throws {
        try await withBooks { books async throws in
            try await books.budget()
            try await exchange(books, "s1", opened: [1, 2, 3])
            try await exchange(books.later(1001), "s2", opened: [], goodbye: true)
            // One that said goodbye is no longer listed.
            let list = try await books.later(1002).ledger.sessions(organisation: "acme")
            let now = (TestBooks.start + 1000) * 1000
            #expect(list.now == now + 2000)
            #expect(list.count == 1)
            #expect(list.sessions.map(\.id) == ["s1"])
            let s1 = try #require(list.sessions.last)
            #expect([s1.node, s1.advertise] == ["node-s1", "http://s1"])
            #expect([s1.startedAt, s1.seenAt, s1.expires] == [now, now, now + 3000])
            #expect([s1.version, s1.leases, s1.openReservations] == [3, 1, 3])
            #expect(list.isAlive(s1))
            let later = try await books.later(1004).ledger.sessions(organisation: "acme")
            #expect(!later.isAlive(s1))
        }
    }

    @Test("A new history lets every session live on for a time to live")
    func recovering() async throws {
        try await withBooks { books async throws in
            try await books.budget()
            try await exchange(books, "s1", opened: [])
            try await books.later(1010).restarted().account("team")
            let list = try await books.later(1012).ledger.sessions(organisation: "acme")
            let session = try #require(list.sessions.first)
            #expect(session.expires < list.now)
            #expect(list.isAlive(session))
        }
    }

    @Test("Sessions come in pages")
    func pages() async throws {
        try await withBooks { books async throws in
            try await books.budget()
            for index in 0..<5 { try await exchange(books.later(1000 + Int64(index)), "s\(index)", opened: []) }
            var ids: [String] = []
            for skipped in [0, 2, 4, 6] {
                let list = try await books.ledger.sessions(skipping: skipped, limit: 2, organisation: "acme")
                #expect(list.count == 5)
                ids += list.sessions.map(\.id)
            }
            #expect(ids == ["s4", "s3", "s2", "s1", "s0"])
            let ledger = books.ledger
            for (skipped, limit, pointer) in [(-1, 5, "/cursor"), (0, 0, "/limit"), (0, 1001, "/limit")] {
                let code = await refusal { () throws(LedgerError) in
                    try await ledger.sessions(skipping: skipped, limit: limit, organisation: "acme")
                }
                #expect(code == .invalid(pointer: pointer))
            }
        }
    }

    @Test("The open reservations of a session are walked through in pages", arguments: [3, 5000] as [Int64])
    func reservations(_ count: Int64) async throws {
        try await withBooks { books async throws in
            try await books.budget()
            try await exchange(books, "s1", opened: Array(1...count))
            var numbers: Set<Int64> = []
            var cursor: String?
            repeat {
                let page = try await books.ledger.openReservations(
                    session: "s1", after: cursor, limit: 100, organisation: "acme")
                numbers.formUnion(page.items)
                cursor = page.next
            } while cursor != nil
            #expect(numbers == Set(1...count))
            let ledger = books.ledger
            for (session, cursor, limit, expected) in [
                ("s9", nil, 5, .notFound), ("s1", "x", 5, .invalid(pointer: "/cursor")),
                ("s1", nil, 0, .invalid(pointer: "/limit")),
            ] as [(String, String?, Int, LedgerError.Code)] {
                let code = await refusal { () throws(LedgerError) in
                    try await ledger.openReservations(
                        session: session, after: cursor, limit: limit, organisation: "acme")
                }
                #expect(code == expected)
            }
        }
    }
}
