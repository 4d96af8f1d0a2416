// prices_put, prices_get.

import Ledger
import RedisClient
import Testing

@Suite("The price book", .timeLimit(.minutes(1)))
struct PricesScriptTests {
    private func put(_ books: TestBooks, _ text: String) async throws -> Int64 {
        try await books.ledger.putPrices(text, change: books.change(), organisation: "acme").version
    }

    private func missing(_ books: TestBooks, _ version: Int64?) async -> LedgerError.Code? {
        let ledger = books.ledger
        return await refusal { () throws(LedgerError) in
            try await ledger.prices(version: version, organisation: "acme")
        }
    }

    @Test("The newest is the present one, and earlier ones can be read by their version")
    func versions() async throws {
        try await withBooks { books async throws in
            #expect(await missing(books, nil) == .notFound)
            let first = try await put(books, "[1]")
            let second = try await put(books.restarted(), "[2]")
            let ledger = books.ledger
            let present = try await ledger.prices(organisation: "acme")
            #expect(present.version == second)
            #expect(present.text == "[2]")
            #expect(try await ledger.prices(version: first, organisation: "acme").text == "[1]")
            #expect(await missing(books, second + 1) == .notFound)
            #expect(await missing(books, 0) == .invalid(pointer: "/version"))
            let entry = try #require(try await books.events().last)
            #expect([entry.before, entry.after] == [String(first), String(second)])
            #expect(entry.version == second)
        }
    }

    @Test("It has at most a mebibyte")
    func size() async throws {
        try await withBooks { books async throws in
            let digest = try await books.digest()
            let (ledger, change) = (books.ledger, books.change())
            for text in ["", String(repeating: "x", count: 1_048_577)] {
                let code = await refusal { () throws(LedgerError) in
                    try await ledger.putPrices(text, change: change, organisation: "acme")
                }
                #expect(code == .invalid(pointer: "/prices"))
            }
            #expect(try await books.digest() == digest)
            let most = String(repeating: "x", count: 1_048_576)
            let version = try await put(books, most)
            #expect(try await ledger.prices(version: version, organisation: "acme").text == most)
        }
    }

    @Test("The thousand newest versions are kept")
    func bounded() async throws {
        try await withBooks { books async throws in
            let first = try await put(books, "[1]")
            let second = try await put(books, "[2]")
            let fill = RedisScript(
                name: "fill", source: "for i = 1, 998 do redis.call('HSET', KEYS[1], ARGV[1] + i, '[]') end")
            _ = try await books.redis.eval(fill, keys: [books.key("prices")], arguments: [String(second)])
            _ = try await books.redis.send(["HSET", books.key("meta"), "version", "5000"])
            #expect(try await put(books, "[3]") == 5001)
            #expect(try await books.redis.send(["HLEN", books.key("prices")]).int == 1001)
            #expect(await missing(books, first) == .notFound)
            #expect(await missing(books, second) == nil)
        }
    }
}
