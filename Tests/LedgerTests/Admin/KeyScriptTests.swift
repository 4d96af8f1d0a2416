// key_put, key_rotate, key_revoke, key_get, keys_list.

import Ledger
import RedisClient
import Testing

@Suite("API keys", .timeLimit(.minutes(1)))
struct KeyScriptTests {
    private func put(_ books: TestBooks, _ key: String, account: String = "acme", record: String = "{}") async
        -> LedgerError.Code?
    {
        let (ledger, change) = (books.ledger, books.change())
        return await refusal { () throws(LedgerError) in
            try await ledger.putKey(key, account: account, record: record, change: change, organisation: "acme")
        }
    }

    private func rotate(_ books: TestBooks, _ key: String, to new: String, record: String = "{}") async
        -> LedgerError.Code?
    {
        let (ledger, change) = (books.ledger, books.change())
        return await refusal { () throws(LedgerError) in
            try await ledger.rotateKey(
                key, to: new, record: record, oldRecord: "gone", change: change, organisation: "acme")
        }
    }

    private func revoke(_ books: TestBooks, _ key: String, record: String = "gone") async -> LedgerError.Code? {
        let (ledger, change) = (books.ledger, books.change())
        return await refusal { () throws(LedgerError) in
            try await ledger.revokeKey(key, record: record, change: change, organisation: "acme")
        }
    }

    @Test("A key is as it was put")
    func put() async throws {
        try await withBooks { books async throws in
            let written = try await AnyChange.putKey.make(books, books.change())
            let row = try await books.ledger.key("k1", organisation: "acme")
            #expect([row.id, row.account, row.record] == ["k1", "acme", #"{"k":1}"#])
            #expect(row.version == written.version)
            #expect(row.revokedAt == nil)
            // Nodes read the record here.
            #expect(try await books.field("keys", "k1") == #"{"k":1}"#)
        }
    }

    @Test("A rotation revokes the old key and makes the new one, of the same account")
    func rotated() async throws {
        try await withBooks { books async throws in
            try await books.account("team")
            #expect(await put(books, "k1", account: "team") == nil)
            let written = try await AnyChange.rotateKey.make(books, books.change())
            let old = try await books.ledger.key("k1", organisation: "acme")
            #expect(old.revokedAt == (TestBooks.start + 1000) * 1000)
            #expect(old.record == #"{"k":1,"revoked":true}"#)
            let new = try await books.ledger.key("k2", organisation: "acme")
            #expect([new.account, new.record] == ["team", #"{"k":2}"#])
            #expect(new.revokedAt == nil)
            #expect([old.version, new.version] == [written.version, written.version])
            #expect(await rotate(books, "k1", to: "k3") == .conflict)
            #expect(await rotate(books, "k2", to: "k1") == .conflict)
            #expect(await rotate(books, "k2", to: "k2") == .conflict)
        }
    }

    @Test("A revoked key stays, revoked, with the record that says so")
    func revoked() async throws {
        try await withBooks { books async throws in
            _ = try await AnyChange.putKey.make(books, books.change())
            _ = try await AnyChange.revokeKey.make(books, books.change())
            let row = try await books.ledger.key("k1", organisation: "acme")
            #expect(row.revokedAt == (TestBooks.start + 1000) * 1000)
            #expect(try await books.field("keys", "k1") == #"{"k":1,"revoked":true}"#)
            #expect(await revoke(books, "k1") == .conflict)
            #expect(await put(books, "k1") == .conflict)
        }
    }

    @Test("A rollback un-revokes no key when the change is repeated by its id")
    func rollback() async throws {
        try await withBooks { books async throws in
            _ = try await AnyChange.putKey.make(books, books.change())
            try await books.save()
            _ = try await AnyChange.revokeKey.make(books, books.change("revoke-1"))
            try await books.forget()
            #expect(try await books.ledger.key("k1", organisation: "acme").revokedAt == nil)
            _ = try await AnyChange.revokeKey.make(books.restarted(), books.change("revoke-1"))
            #expect(try await books.ledger.key("k1", organisation: "acme").revokedAt != nil)
        }
    }

    @Test("What cannot be done to a key is refused, and nothing is written")
    func refusals() async throws {
        try await withBooks { books async throws in
            try await books.account("team")
            #expect(await put(books, "k1", account: "team") == nil)
            _ = try await AnyChange.archiveAccount.make(books, books.change())
            let digest = try await books.digest()
            #expect(await put(books, "k2", account: "team") == .conflict)
            #expect(await rotate(books, "k1", to: "k2") == .conflict)
            #expect(await put(books, "k2", account: "nobody") == .notFound)
            #expect(await put(books, "K2") == .invalid(pointer: "/id"))
            #expect(await put(books, "k2", record: "") == .invalid(pointer: "/record"))
            #expect(await rotate(books, "k9", to: "k2") == .notFound)
            #expect(await rotate(books, "k1", to: "") == .invalid(pointer: "/id"))
            #expect(await rotate(books, "k1", to: "k2", record: "") == .invalid(pointer: "/record"))
            #expect(await revoke(books, "k9") == .notFound)
            // Without a record that says so the nodes would go on to let the key in.
            #expect(await revoke(books, "k1", record: "") == .invalid(pointer: "/record"))
            #expect(try await books.digest() == digest)
            // A key of an archived account can still be revoked.
            #expect(await revoke(books, "k1") == nil)
        }
    }

    @Test("An account has at most a thousand keys: the one revoked first makes room, a valid one never")
    func bounded() async throws {
        try await withBooks { books async throws in
            let fill = RedisScript(
                name: "fill",
                source: """
                    for i = 1, 1000 do
                      local id = string.format('f%04d', i)
                      redis.call('HSET', KEYS[1] .. 'keys', id, '{}')
                      redis.call('HSET', KEYS[1] .. 'key_state', id, '1 0 acme')
                      redis.call('SADD', KEYS[1] .. 'keys_of:acme', id)
                    end
                    """)
            _ = try await books.redis.eval(fill, keys: [books.key("")], arguments: [])
            let count = { try await books.redis.send(["SCARD", books.key("keys_of:acme")]).int }
            #expect(await put(books, "k1") == .conflict)
            #expect(await rotate(books, "f0001", to: "k1") == nil)
            let gone = await refusal { () throws(LedgerError) in
                try await books.ledger.key("f0001", organisation: "acme")
            }
            #expect(gone == .notFound)
            #expect(try await count() == 1000)
            #expect(await revoke(books.later(2000), "f0700") == nil)
            #expect(await revoke(books.later(3000), "f0500") == nil)
            #expect(await put(books, "k2") == nil)
            #expect(try await count() == 1000)
            let first = await refusal { () throws(LedgerError) in
                try await books.ledger.key("f0700", organisation: "acme")
            }
            #expect(first == .notFound)
        }
    }

    @Test("The keys of an account come by id, page by page, revoked ones too")
    func listed() async throws {
        try await withBooks { books async throws in
            try await books.account("team")
            #expect(await put(books, "other", account: "team") == nil)
            for index in 10..<20 { #expect(await put(books, "k\(index)") == nil) }
            #expect(await revoke(books, "k12") == nil)
            var rows: [KeyRow] = []
            var cursor: String?
            repeat {
                let page = try await books.ledger.keys(account: "acme", after: cursor, limit: 4, organisation: "acme")
                rows += page.items
                cursor = page.next
            } while cursor != nil
            #expect(rows.map(\.id) == (10..<20).map { "k\($0)" })
            #expect(rows.filter { $0.revokedAt != nil }.map(\.id) == ["k12"])
            let ledger = books.ledger
            let unknown = await refusal { () throws(LedgerError) in
                try await ledger.keys(account: "x", organisation: "acme")
            }
            #expect(unknown == .notFound)
            let limit = await refusal { () throws(LedgerError) in
                try await ledger.keys(account: "acme", limit: 0, organisation: "acme")
            }
            #expect(limit == .invalid(pointer: "/limit"))
        }
    }
}
