// account_put, account_archive, account_get, accounts_list.

import Ledger
import RedisClient
import Testing

@Suite("Accounts", .timeLimit(.minutes(1)))
struct AccountScriptTests {
    /// Puts an account and returns why it was refused.
    private func put(_ books: TestBooks, _ id: String, under parent: String, record: String = "{}") async
        -> LedgerError.Code?
    {
        let (ledger, change) = (books.ledger, books.change())
        return await refusal { () throws(LedgerError) in
            try await ledger.putAccount(id, parent: parent, record: record, change: change, organisation: "acme")
        }
    }

    private func archive(_ books: TestBooks, _ id: String) async -> LedgerError.Code? {
        let (ledger, change) = (books.ledger, books.change())
        return await refusal { () throws(LedgerError) in
            try await ledger.archiveAccount(id, change: change, organisation: "acme")
        }
    }

    private func children(_ books: TestBooks, _ id: String) async throws -> [String] {
        try await books.redis.send(["SMEMBERS", books.key("children:\(id)")]).array?.compactMap(\.string).sorted() ?? []
    }

    @Test("An account is as it was put, its record letter by letter")
    func put() async throws {
        try await withBooks { books async throws in
            let record = #"{ "name" : "R&D \u00e9", "n":1.50, "e":[] }"#
            let written = try await books.ledger.putAccount(
                "rd", parent: "acme", record: record, change: books.change(), organisation: "acme")
            let row = try await books.ledger.account("rd", organisation: "acme")
            #expect([row.id, row.parent, row.record, row.block] == ["rd", "acme", record, ""])
            #expect(row.version == written.version)
            #expect(try await children(books, "acme") == ["rd"])
        }
    }

    @Test("A moved account keeps its block, its budgets and its books")
    func moved() async throws {
        try await withBooks { books async throws in
            for id in ["a", "b"] { try await books.account(id) }
            try await books.account("team", under: "a")
            try await books.budget("team")
            try await books.spend(400)
            _ = try await AnyChange.putBlock.make(books, books.change())
            try await books.account("team", under: "b")
            let row = try await books.ledger.account("team", organisation: "acme")
            #expect([row.parent, row.block] == ["b", #"{"reason":"b"}"#])
            #expect(try await children(books, "a") == [])
            #expect(try await children(books, "b") == ["team"])
            #expect(try await books.ledger.budgets(account: "team", organisation: "acme").map(\.name) == ["monthly"])
            #expect(try await books.book().spent == 400)
            let path = try await books.ledger.resolve(account: "team", organisation: "acme")
            #expect(path.accounts.map(\.id) == ["team", "b", "acme"])
        }
    }

    @Test("An account needs a parent that exists and is in use")
    func parents() async throws {
        try await withBooks { books async throws in
            try await books.account("old")
            #expect(await archive(books, "old") == nil)
            let digest = try await books.digest()
            #expect(await put(books, "team", under: "nowhere") == .notFound)
            #expect(await put(books, "team", under: "old") == .conflict)
            #expect(await put(books, "team", under: "") == .invalid(pointer: "/parent"))
            #expect(await put(books, "team", under: "A") == .invalid(pointer: "/parent"))
            #expect(await put(books, "Team", under: "acme") == .invalid(pointer: "/id"))
            #expect(await put(books, String(repeating: "x", count: 64), under: "acme") == .invalid(pointer: "/id"))
            #expect(await put(books, "team", under: "acme", record: "") == .invalid(pointer: "/record"))
            let long = String(repeating: "x", count: 65_537)
            #expect(await put(books, "team", under: "acme", record: long) == .invalid(pointer: "/record"))
            #expect(try await books.digest() == digest)
        }
    }

    @Test("The tree stays a tree: the root is not moved, and no account is its own ancestor")
    func cycles() async throws {
        try await withBooks { books async throws in
            try await books.account("a")
            try await books.account("b", under: "a")
            try await books.account("c", under: "b")
            let digest = try await books.digest()
            #expect(await put(books, "acme", under: "a") == .conflict)
            #expect(await put(books, "a", under: "a") == .conflict)
            #expect(await put(books, "a", under: "c") == .conflict)
            #expect(try await books.digest() == digest)
            #expect(await put(books, "acme", under: "") == nil)
            #expect(await put(books, "c", under: "a") == nil)
        }
    }

    @Test("At most eight accounts lie on a path, whether one is added or a branch is moved")
    func depth() async throws {
        try await withBooks { books async throws in
            var parent = "acme"
            for level in 2...8 {
                try await books.account("l\(level)", under: parent)
                parent = "l\(level)"
            }
            #expect(await put(books, "l9", under: "l8") == .conflict)
            // A branch of three accounts.
            try await books.account("x")
            try await books.account("y", under: "x")
            try await books.account("z", under: "y")
            #expect(await put(books, "x", under: "l6") == .conflict)
            #expect(await put(books, "x", under: "l5") == nil)
            // Changing a record deep down is no move.
            #expect(await put(books, "l8", under: "l7") == nil)
        }
    }

    @Test("An account is archived after those below it, and the root never")
    func archived() async throws {
        try await withBooks { books async throws in
            try await books.account("a")
            try await books.account("b", under: "a")
            #expect(await archive(books, "a") == .conflict)
            #expect(await archive(books, "acme") == .conflict)
            #expect(await archive(books, "nobody") == .notFound)
            #expect(await archive(books, "B") == .invalid(pointer: "/account"))
            #expect(await archive(books, "b") == nil)
            #expect(await archive(books, "b") == .conflict)
            #expect(await archive(books, "a") == nil)
            let row = try await books.ledger.account("a", organisation: "acme")
            #expect(row.archived)
            #expect(row.record == #"{"id":"a"}"#)
        }
    }

    @Test("An archived account that is put again is in use again, under a parent in use")
    func revived() async throws {
        try await withBooks { books async throws in
            try await books.account("a")
            try await books.account("b", under: "a")
            _ = await archive(books, "b")
            _ = await archive(books, "a")
            #expect(await put(books, "b", under: "a") == .conflict)
            #expect(await put(books, "a", under: "acme") == nil)
            #expect(await put(books, "b", under: "a") == nil)
            #expect(try await !books.ledger.account("b", organisation: "acme").archived)
            #expect(await archive(books, "a") == .conflict)
        }
    }

    @Test("Accounts are listed by id, page by page")
    func listed() async throws {
        try await withBooks { books async throws in
            for index in 10..<35 { try await books.account("t\(index)", under: index < 12 ? "acme" : "t10") }
            var ids: [String] = []
            var cursor: String?
            var pages = 0
            repeat {
                let page = try await books.ledger.accounts(after: cursor, limit: 10, organisation: "acme")
                ids += page.items.map(\.id)
                cursor = page.next
                pages += 1
            } while cursor != nil
            #expect(ids == ["acme"] + (10..<35).map { "t\($0)" })
            #expect(pages == 3)
            let top = try await books.ledger.accounts(parent: "acme", organisation: "acme")
            #expect(top.items.map(\.id) == ["t10", "t11"])
            #expect(top.next == nil)
            let below = try await books.ledger.accounts(parent: "t10", limit: 23, organisation: "acme")
            #expect(below.items.count == 23)
            #expect(try await books.ledger.accounts(parent: "nobody", organisation: "acme").items.isEmpty)
        }
    }

    @Test("A page that looked at many accounts and found none goes on")
    func boundedWork() async throws {
        try await withBooks { books async throws in
            let fill = RedisScript(
                name: "fill",
                source: """
                    for i = 1, 4500 do
                      local id = string.format('m%05d', i)
                      redis.call('ZADD', KEYS[1] .. 'accounts', 0, id)
                      redis.call('HSET', KEYS[1] .. 'account:' .. id, 'record', '{}', 'parent', 'acme', 'version', '1')
                    end
                    """)
            _ = try await books.redis.eval(fill, keys: [books.key("")], arguments: [])
            try await books.account("z", under: "m04500")
            let first = try await books.ledger.accounts(parent: "m04500", organisation: "acme")
            #expect(first.items.isEmpty)
            #expect(first.next == "m01999")
            var cursor = first.next
            var found: [String] = []
            while let next = cursor {
                let page = try await books.ledger.accounts(parent: "m04500", after: next, organisation: "acme")
                found += page.items.map(\.id)
                cursor = page.next
            }
            #expect(found == ["z"])
        }
    }

    @Test("Unknown accounts are not found; a page has 1 to 1000 accounts")
    func refusals() async throws {
        try await withBooks { books async throws in
            let ledger = books.ledger
            let unknown = await refusal { () throws(LedgerError) in try await ledger.account("x", organisation: "acme")
            }
            #expect(unknown == .notFound)
            for limit in [0, 1001] {
                let code = await refusal { () throws(LedgerError) in
                    try await ledger.accounts(limit: limit, organisation: "acme")
                }
                #expect(code == .invalid(pointer: "/limit"))
            }
            let elsewhere = await refusal { () throws(LedgerError) in try await ledger.accounts(organisation: "none") }
            #expect(elsewhere == .noOrganisation)
        }
    }
}
