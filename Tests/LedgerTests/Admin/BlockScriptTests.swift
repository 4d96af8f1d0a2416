// block_put, block_delete.

import Ledger
import Testing

@Suite("The hard block", .timeLimit(.minutes(1)))
struct BlockScriptTests {
    private func block(_ books: TestBooks) async throws -> String {
        try await books.ledger.account("team", organisation: "acme").block
    }

    @Test("A block is as it was put, shows on the path of every account below, and leaves the record alone")
    func put() async throws {
        try await withBooks { books async throws in
            try await books.account("team")
            try await books.account("alice", under: "team")
            let written = try await AnyChange.putBlock.make(books, books.change())
            let row = try await books.ledger.account("team", organisation: "acme")
            #expect([row.block, row.record] == [#"{"reason":"b"}"#, #"{"id":"team"}"#])
            #expect(row.version == written.version)
            let path = try await books.ledger.resolve(account: "alice", organisation: "acme")
            #expect(path.accounts.map(\.block) == ["", #"{"reason":"b"}"#, ""])
        }
    }

    @Test("Putting it again replaces it, and the audit has both")
    func replaced() async throws {
        try await withBooks { books async throws in
            try await books.account("team")
            _ = try await AnyChange.putBlock.make(books, books.change())
            _ = try await books.ledger.putBlock(
                account: "team", block: #"{"reason":"c"}"#, change: books.change(), organisation: "acme")
            let entry = try #require(try await books.events().last)
            #expect([entry.before, entry.after] == [#"{"reason":"b"}"#, #"{"reason":"c"}"#])
        }
    }

    @Test("Changing or moving an account does not end its block")
    func survivesChanges() async throws {
        try await withBooks { books async throws in
            try await books.account("team")
            try await books.account("other")
            _ = try await AnyChange.putBlock.make(books, books.change())
            try await books.account("team", under: "other")
            #expect(try await block(books) == #"{"reason":"b"}"#)
        }
    }

    @Test("There is nothing to end where there is no block, and no block without an account")
    func refusals() async throws {
        try await withBooks { books async throws in
            let (ledger, change) = (books.ledger, books.change())
            try await books.account("team")
            let digest = try await books.digest()
            for account in ["team", "nobody"] {
                let code = await refusal { () throws(LedgerError) in
                    try await ledger.deleteBlock(account: account, change: change, organisation: "acme")
                }
                #expect(code == .notFound)
            }
            for (account, block, expected) in [
                ("nobody", "{}", .notFound), ("Team", "{}", .invalid(pointer: "/account")),
                ("team", "", .invalid(pointer: "/block")),
                ("team", String(repeating: "x", count: 4097), .invalid(pointer: "/block")),
            ] as [(String, String, LedgerError.Code)] {
                let code = await refusal { () throws(LedgerError) in
                    try await ledger.putBlock(account: account, block: block, change: change, organisation: "acme")
                }
                #expect(code == expected)
            }
            #expect(try await books.digest() == digest)
        }
    }

    @Test("A rollback un-blocks nobody when the change is repeated by its id")
    func rollback() async throws {
        try await withBooks { books async throws in
            try await books.account("team")
            try await books.save()
            _ = try await AnyChange.putBlock.make(books, books.change("block-1"))
            try await books.forget()
            #expect(try await block(books) == "")
            let restarted = books.restarted()
            let written = try await AnyChange.putBlock.make(restarted, books.change("block-1"))
            #expect(!written.replayed)
            #expect(try await block(restarted) == #"{"reason":"b"}"#)
        }
    }

    @Test("A late repeat of a block that was ended since does not bring it back")
    func lateRepeat() async throws {
        try await withBooks { books async throws in
            try await books.account("team")
            _ = try await AnyChange.putBlock.make(books, books.change("block-1"))
            _ = try await AnyChange.deleteBlock.make(books, books.change("block-2"))
            let repeated = try await AnyChange.putBlock.make(books.restarted(), books.change("block-1"))
            #expect(repeated.replayed)
            #expect(try await block(books) == "")
        }
    }

    @Test("A rollback that lost only the end of a block is put right by that change alone")
    func lostEnd() async throws {
        try await withBooks { books async throws in
            try await books.account("team")
            _ = try await AnyChange.putBlock.make(books, books.change("block-1"))
            try await books.save()
            _ = try await AnyChange.deleteBlock.make(books, books.change("block-2"))
            try await books.forget()
            let restarted = books.restarted()
            #expect(try await AnyChange.putBlock.make(restarted, books.change("block-1")).replayed)
            #expect(try await !AnyChange.deleteBlock.make(restarted, books.change("block-2")).replayed)
            #expect(try await block(restarted) == "")
        }
    }
}
