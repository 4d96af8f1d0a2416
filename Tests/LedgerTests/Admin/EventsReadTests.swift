// events_read: the audit, page by page.

import Ledger
import RedisClient
import Testing

@Suite("Reading the stream", .timeLimit(.minutes(1)))
struct EventsReadTests {
    @Test("Newest first it goes back to the beginning, then there is nothing more")
    func newestFirst() async throws {
        try await withBooks { books async throws in
            for index in 1...9 { try await books.account("a\(index)") }
            var versions: [Int64] = []
            var cursor: Int64?
            var pages = 0
            repeat {
                let page = try await books.ledger.events(before: cursor, limit: 4, organisation: "acme")
                #expect(page.version == 10)
                versions += page.items.map(\.version)
                cursor = page.next
                pages += 1
            } while cursor != nil
            #expect(versions == Array((1...10).reversed()))
            #expect(pages == 3)
        }
    }

    @Test("After a version it follows the stream, and goes on when more has come")
    func following() async throws {
        try await withBooks { books async throws in
            for index in 1...3 { try await books.account("a\(index)") }
            let first = try await books.ledger.events(after: 1, limit: 2, organisation: "acme")
            #expect(first.items.map(\.target) == ["a1", "a2"])
            let second = try await books.ledger.events(after: first.next ?? 0, limit: 2, organisation: "acme")
            #expect(second.items.map(\.target) == ["a3"])
            let third = try await books.ledger.events(after: second.next ?? 0, organisation: "acme")
            #expect(third.items.isEmpty)
            #expect(third.next == second.next)
            try await books.account("a4")
            let fourth = try await books.ledger.events(after: third.next ?? 0, organisation: "acme")
            #expect(fourth.items.map(\.target) == ["a4"])
        }
    }

    @Test("Filters for account, actor and kind hold together")
    func filters() async throws {
        try await withBooks { books async throws in
            try await books.account("team")
            try await books.account("other")
            _ = try await AnyChange.putBlock.make(books, Change(actor: "bob", reason: "spree"))
            _ = try await AnyChange.putBlock.make(books, books.change())
            let read = { (filter: EventFilter) in
                try await books.ledger.events(filter: filter, organisation: "acme").items.map(\.version)
            }
            #expect(try await read(EventFilter()) == [5, 4, 3, 2, 1])
            #expect(try await read(EventFilter(account: "team")) == [5, 4, 2])
            #expect(try await read(EventFilter(actor: "bob")) == [4])
            #expect(try await read(EventFilter(kind: "account.put")) == [3, 2])
            #expect(try await read(EventFilter(account: "team", kind: "account.put")) == [2])
            #expect(try await read(EventFilter(account: "team", actor: "bob", kind: "account.put")) == [])
            let after = try await books.ledger.events(
                after: 2, filter: EventFilter(account: "team"), organisation: "acme")
            #expect(after.items.map(\.version) == [4, 5])
        }
    }

    @Test("A call looks at 2000 entries at most, and what it did not find the next one goes on to look for")
    func boundedWork() async throws {
        try await withBooks { books async throws in
            let fill = RedisScript(
                name: "fill",
                source: "for i = 2, 4500 do redis.call('XADD', KEYS[1], i .. '-0', 'kind', 'noise', 'time_ms', '1') end"
            )
            _ = try await books.redis.eval(fill, keys: [books.key("events")], arguments: [])
            let filter = EventFilter(kind: "organisation.created")
            let ledger = books.ledger
            let first = try await ledger.events(filter: filter, organisation: "acme")
            #expect(first.items.isEmpty)
            #expect(first.next == 2501)
            let second = try await ledger.events(before: first.next, filter: filter, organisation: "acme")
            #expect(second.next == 501)
            let third = try await ledger.events(before: second.next, filter: filter, organisation: "acme")
            #expect(third.items.map(\.version) == [1])
            #expect(third.next == nil)
            let onward = try await ledger.events(after: 1, filter: filter, organisation: "acme")
            #expect(onward.items.isEmpty)
            #expect(onward.next == 2001)
        }
    }

    @Test("What the ledger itself writes comes with its own fields")
    func others() async throws {
        try await withBooks { books async throws in
            try await books.restarted().account("team")
            let started = try #require(try await books.events().first { $0.kind == "history.started" })
            #expect([started.actor, started.change] == ["ledger", ""])
            _ = try await books.redis.send(
                [
                    "XADD", books.key("events"), "9999-0", "kind", "budget.warned", "time_ms", "5", "step", "1",
                    "period", "7",
                ])
            let warned = try #require(try await books.events().last)
            #expect(warned.time == 5)
            #expect(warned.others == ["step": "1", "period": "7"])
        }
    }

    @Test("A page has 1 to 1000 entries, and a cursor is a version")
    func refusals() async throws {
        try await withBooks { books async throws in
            let ledger = books.ledger
            for limit in [0, 1001] {
                let code = await refusal { () throws(LedgerError) in
                    try await ledger.events(limit: limit, organisation: "acme")
                }
                #expect(code == .invalid(pointer: "/limit"))
            }
            let code = await refusal { () throws(LedgerError) in
                try await ledger.events(after: -1, organisation: "acme")
            }
            #expect(code == .invalid(pointer: "/cursor"))
            let elsewhere = await refusal { () throws(LedgerError) in try await ledger.events(organisation: "none") }
            #expect(elsewhere == .noOrganisation)
        }
    }
}
