// What holds for every change of the rules, tested on each of them.

import Ledger
import RedisClient
import Testing

@Suite("Every change of the rules", .timeLimit(.minutes(2)))
struct EveryChangeTests {
    @Test("It leaves exactly one audit entry, which says who, why, what and where", arguments: AnyChange.allCases)
    func oneEntry(_ any: AnyChange) async throws {
        try await withBooks { books async throws in
            _ = try await any.prepare(books)
            let before = try await books.events().count
            let written = try await any.make(books, books.change("change-1"))
            #expect(!written.replayed)
            let new = try await books.events().dropFirst(before)
            #expect(new.count == 1)
            let entry = try #require(new.first)
            #expect(entry.kind == any.kind)
            #expect(entry.version == written.version)
            #expect(entry.time == (TestBooks.start + 1000) * 1000)
            #expect([entry.actor, entry.change, entry.reason] == ["ada@example.com", "change-1", "because"])
            #expect([entry.account, entry.budget, entry.generation, entry.key, entry.target] == any.place)
            #expect(entry.others.isEmpty)
            if let records = any.records {
                #expect(entry.before == records.before)
                #expect(entry.after == records.after)
            }
        }
    }

    @Test("Its repeat answers as the first time and writes nothing", arguments: AnyChange.allCases)
    func repeated(_ any: AnyChange) async throws {
        try await withBooks { books async throws in
            _ = try await any.prepare(books)
            let first = try await any.make(books, books.change("change-1"))
            let digest = try await books.digest()
            // Also when a version is expected that was right the first time, and on a server that may have lost writes.
            for other in [books, books.later(5000), books.restarted()] {
                for expected in [nil, 0, 1] as [Int64?] {
                    let again = try await any.make(other, other.change("change-1", expected: expected))
                    #expect(again == Written(version: first.version, replayed: true))
                }
            }
            #expect(try await books.digest() == digest)
        }
    }

    @Test("It is refused when another version is expected, and writes nothing", arguments: AnyChange.allCases)
    func otherVersion(_ any: AnyChange) async throws {
        try await withBooks { books async throws in
            let present = try await any.prepare(books)
            let digest = try await books.digest()
            for expected in [present.map { $0 - 1 }, (present ?? 0) + 1, present.map { _ in 0 }] {
                guard let expected, expected != 0 || present != nil else { continue }
                let code = await refusal { () throws(LedgerError) in
                    try await any.make(books, books.change(expected: expected))
                }
                switch any {
                case .putAdjustment, .deleteAdjustment, .resolveDoubt: #expect(code == .invalid(pointer: "/version"))
                default: #expect(code == .precondition)
                }
            }
            #expect(try await books.digest() == digest)
        }
    }

    @Test("It is made when the present version is expected", arguments: AnyChange.allCases)
    func presentVersion(_ any: AnyChange) async throws {
        try await withBooks { books async throws in
            let present = try await any.prepare(books)
            let expected = any == .deleteAdjustment || any == .resolveDoubt ? nil : present ?? 0
            let written = try await any.make(books, books.change(expected: expected))
            #expect(written.version > present ?? 0)
            #expect(!written.replayed)
        }
    }

    @Test("Without an organisation there is nothing to change", arguments: AnyChange.allCases)
    func noOrganisation(_ any: AnyChange) async throws {
        try await withBooks(created: false) { books async throws in
            let code = await refusal { () throws(LedgerError) in try await any.make(books, books.change()) }
            #expect(code == .noOrganisation)
            #expect(try await books.redis.send(["DBSIZE"]).int == 0)
        }
    }

    @Test("A change without an id, an actor or of too many words is refused", arguments: AnyChange.allCases)
    func malformed(_ any: AnyChange) async throws {
        try await withBooks { books async throws in
            _ = try await any.prepare(books)
            let digest = try await books.digest()
            let long = String(repeating: "x", count: 2000)
            for (change, pointer) in [
                (Change(id: "", actor: "a"), "/change"), (Change(id: "a b", actor: "a"), "/change"),
                (Change(id: long, actor: "a"), "/change"), (Change(actor: ""), "/actor"),
                (Change(actor: long), "/actor"),
                (Change(actor: "a", reason: long), "/reason"), (Change(actor: "a", expectedVersion: -1), "/version"),
                (Change(actor: "a", expectedVersion: .max), "/version"),
            ] {
                let code = await refusal { () throws(LedgerError) in try await any.make(books, change) }
                #expect(code == .invalid(pointer: pointer))
            }
            #expect(try await books.digest() == digest)
        }
    }

    @Test("On a server that may have lost writes it begins a new history", arguments: AnyChange.allCases)
    func newHistory(_ any: AnyChange) async throws {
        try await withBooks { books async throws in
            _ = try await any.prepare(books)
            let before = try await books.ledger.organisation(books.organisation)
            let written = try await any.make(books.restarted(), books.change())
            let after = try await books.ledger.organisation(books.organisation)
            #expect(after.history != before.history)
            #expect(after.recoveringUntil == (TestBooks.start + 1000) * 1000 + 3000)
            #expect(after.seq == before.seq + 1)
            #expect(written.version >= before.booksVersion + 1024)
            #expect(try await books.field("lineage", before.history) == String(before.seq))
            #expect(try await books.events().suffix(2).map(\.kind) == ["history.started", any.kind])
        }
    }

    @Test("Forgotten by Redis, its repeat makes it again, once", arguments: AnyChange.allCases)
    func madeAgain(_ any: AnyChange) async throws {
        try await withBooks { books async throws in
            _ = try await any.prepare(books)
            try await books.save()
            let first = try await any.make(books, books.change("change-1"))
            try await books.forget()
            let restarted = books.restarted()
            let second = try await any.make(restarted, books.change("change-1"))
            #expect(!second.replayed)
            #expect(second.version > first.version)
            let third = try await any.make(restarted, books.change("change-1"))
            #expect(third == Written(version: second.version, replayed: true))
            #expect(try await books.events().filter { $0.change == "change-1" }.count == 1)
        }
    }

    @Test("It publishes a hint with the new version", arguments: AnyChange.allCases)
    func hint(_ any: AnyChange) async throws {
        try await withBooks { books async throws in
            _ = try await any.prepare(books)
            let others = try await books.news { try await any.make(books, books.change()) }
            #expect(others == [])
        }
    }
}

@Suite("The memory for change ids", .timeLimit(.minutes(1)))
struct ChangeMemoryTests {
    @Test("An id is remembered for a day, then made room for")
    func aDay() async throws {
        try await withBooks { books async throws in
            try await books.account("team")
            let block = AnyChange.putBlock
            let first = try await block.make(books, books.change("change-1"))
            let within = books.later(1000 + 86_399)
            let again = try await block.make(within, books.change("change-1"))
            #expect(again == Written(version: first.version, replayed: true))
            let beyond = books.later(1000 + 86_401)
            _ = try await block.make(beyond, books.change("change-2"))
            #expect(try await books.field("changes", "change-1") == nil)
            #expect(try await books.redis.send(["ZSCORE", books.key("changes_at"), "change-1"]).isNull)
            #expect(try await books.field("changes", "change-2") != nil)
        }
    }

    @Test("At most 100,000 ids are remembered, the newest")
    func bounded() async throws {
        try await withBooks { books async throws in
            try await books.account("team")
            let fill = RedisScript(
                name: "fill",
                source: """
                    for i = 1, 100050 do
                      redis.call('HSET', KEYS[1], 'old-' .. i, '1')
                      redis.call('ZADD', KEYS[2], ARGV[1], 'old-' .. i)
                    end
                    """)
            _ = try await books.redis.eval(
                fill, keys: [books.key("changes"), books.key("changes_at")],
                arguments: [String((TestBooks.start + 999) * 1000)])
            _ = try await AnyChange.putBlock.make(books, books.change("change-1"))
            #expect(try await books.redis.send(["HLEN", books.key("changes")]).int == 100_000)
            #expect(try await books.redis.send(["ZCARD", books.key("changes_at")]).int == 100_000)
            #expect(try await books.field("changes", "change-1") != nil)
        }
    }
}
