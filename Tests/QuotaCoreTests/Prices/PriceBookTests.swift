// Which price applies is a rule that people rely on when they write a book.

import Foundation
import QuotaCore
import Testing

@Suite("Price book")
struct PriceBookTests {
    static func day(_ text: String) throws -> Int64 { try PriceDate(parsing: text).milliseconds }

    static func price(_ model: String, _ input: Int64, from: String? = nil) throws -> ModelPrice {
        ModelPrice(model: model, from: try from.map { try PriceDate(parsing: $0) }, input: input, output: input * 2)
    }

    @Test(
        "an exact name beats a pattern, and the longer literal beginning wins",
        arguments: [
            ("gpt-4o", 1), ("gpt-4o-mini", 2), ("gpt-4o-mini-2024", 2), ("gpt-4o-2024", 3), ("gpt-4o-audio", 4),
            ("gpt-4", 5), ("claude-x-latest", 6), ("claude-latest", 6), ("claude-x", 7), ("GPT-4o", 7), ("", 7),
            ("mgpt-4o", 7), ("claude-a-b-c", 8), ("claude-ab-c", 7), ("gpt-4o-μ", 3),
        ] as [(String, Int64)])
    func precedence(model: String, input: Int64) throws {
        let book = try PriceBook(prices: [
            Self.price("*", 7), Self.price("gpt-4o*", 3), Self.price("gpt-*", 5), Self.price("gpt-4o", 1),
            Self.price("gpt-4o-mini*", 2), Self.price("gpt-4o*audio", 4), Self.price("claude-*latest", 6),
            Self.price("claude-*-b-*", 8),
        ])
        #expect(book.price(model: model, at: 0)?.input == input)
    }

    @Test("literal parts of a pattern do not overlap")
    func overlap() throws {
        let book = try PriceBook(prices: [Self.price("ab*ba", 1), Self.price("x*yy*y", 2), Self.price("q**q", 3)])
        #expect(book.price(model: "aba", at: 0) == nil)
        #expect(book.price(model: "abba", at: 0)?.input == 1)
        #expect(book.price(model: "xyy", at: 0) == nil)
        #expect(book.price(model: "xyyy", at: 0)?.input == 2)
        #expect(book.price(model: "qq", at: 0)?.input == 3)
    }

    @Test("the newest price that has begun holds, from midnight UTC of its day")
    func dates() throws {
        let book = try PriceBook(prices: [
            Self.price("m", 2, from: "2026-02-01"), Self.price("m", 1, from: "2026-01-01"),
            Self.price("m", 3, from: "2026-03-01"), Self.price("*", 9),
        ])
        let february = try Self.day("2026-02-01")
        #expect(february == 1_769_904_000_000)
        #expect(book.price(model: "m", at: try Self.day("2026-01-01") - 1)?.input == 9)
        #expect(book.price(model: "m", at: february - 1)?.input == 1)
        #expect(book.price(model: "m", at: february)?.input == 2)
        #expect(book.price(model: "m", at: .max)?.input == 3)
        #expect(book.price(model: "m", at: .min)?.input == 9)
        #expect(book.nextChange(after: february - 1) == february)
        #expect(book.nextChange(after: february) == (try Self.day("2026-03-01")))
        #expect(book.nextChange(after: .max) == nil)
    }

    @Test("an alias stands for a model, also in look-ups")
    func aliases() throws {
        let book = try PriceBook(
            prices: [Self.price("gpt-4o-mini", 1), Self.price("*", 2)], aliases: ["fast": "gpt-4o-mini"])
        #expect(book.resolve(model: "fast") == "gpt-4o-mini")
        #expect(book.resolve(model: "other") == "other")
        #expect(book.price(model: "fast", at: 0)?.input == 1)
    }

    @Test("the highest price is taken kind by kind, fallbacks included")
    func highest() throws {
        let book = try PriceBook(prices: [
            ModelPrice(model: "a", input: 10, output: 5, cacheRead: 1, maxOutputTokens: 9),
            ModelPrice(model: "b*", input: 4, output: 20, cacheWrite1h: 30),
            Self.price("c", 1000, from: "2030-01-01"),
        ])
        let highest = try #require(book.highest(at: 0))
        #expect(highest.input == 10 && highest.output == 20)
        #expect(highest.cacheRead == 4 && highest.cacheWrite1h == 30 && highest.cacheWrite5m == 10)
        #expect(highest.reasoning == 20 && highest.maxOutputTokens == nil)
        let change = try Self.day("2030-01-01")
        for _ in 0..<2 {
            #expect(book.highest(at: change)?.input == 1000)
            #expect(book.highest(at: change - 1) == highest)
            #expect(book.highest(at: .max)?.input == 1000)
            #expect(book.highest(at: .min) == highest)
        }
        #expect(PriceBook.empty.highest(at: 0) == nil)
        #expect(PriceBook.empty.price(model: "m", at: 0) == nil)
    }

    @Test("a book reads back as it was written")
    func roundTrip() throws {
        let json = #"""
            {"prices":[{"model":"gpt-4o*","from":"2026-01-01","input":"2.5","cache_read":1.25,"output":"10",
            "max_output_tokens":16384},{"model":"x/y","input":0.000001,"output":0,"cache_write_5m":"3","cache_write_1h":"4",
            "reasoning":"5","audio_input":"6","audio_output":"7"}],"aliases":{"fast":"gpt-4o-mini"}}
            """#
        let book = try JSONDecoder().decode(PriceBook.self, from: Data(json.utf8))
        #expect(book.prices.map(\.input) == [2_500_000, 1])
        #expect(book.prices[0].cacheRead == 1_250_000 && book.prices[0].reasoning == nil)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let data = try encoder.encode(book)
        #expect(try JSONDecoder().decode(PriceBook.self, from: data) == book)
        let expected = #"""
            {"aliases":{"fast":"gpt-4o-mini"},"prices":[{"cache_read":"1.25","from":"2026-01-01","input":"2.5",\#
            "max_output_tokens":16384,"model":"gpt-4o*","output":"10"},{"audio_input":"6","audio_output":"7",\#
            "cache_write_1h":"4","cache_write_5m":"3","input":"0.000001","model":"x/y","output":"0","reasoning":"5"}]}
            """#
        #expect(String(decoding: data, as: UTF8.self) == expected)
    }

    @Test(
        "what is wrong in a book is refused at its place",
        arguments: [
            (#"{"price":[]}"#, ["price"]),
            (#"{"prices":{}}"#, ["prices"]),
            (
                #"{"prices":[{"model":"m","input":"1","output":"1"},{"model":"m","input":"1"}]}"#,
                ["prices", "1", "output"]
            ),
            (#"{"prices":[{"input":"1","output":"1"}]}"#, ["prices", "0", "model"]),
            (#"{"prices":[{"model":"m","input":"1.1234567","output":"1"}]}"#, ["prices", "0", "input"]),
            (#"{"prices":[{"model":"m","input":true,"output":"1"}]}"#, ["prices", "0", "input"]),
            (#"{"prices":[{"model":"m","input":"-1","output":"1"}]}"#, ["prices", "0", "input"]),
            (#"{"prices":[{"model":"m","input":"1000000.000001","output":"1"}]}"#, ["prices", "0", "input"]),
            (
                #"{"prices":[{"model":"m","input":"1","output":"1","cache_write":"1"}]}"#,
                ["prices", "0", "cache_write"]
            ),
            (#"{"prices":[{"model":"m","input":"1","output":"1","from":"2026-02-29"}]}"#, ["prices", "0", "from"]),
            (
                #"{"prices":[{"model":"m","input":1,"output":1,"max_output_tokens":1.5}]}"#,
                ["prices", "0", "max_output_tokens"]
            ),
            (
                #"{"prices":[{"model":"m","input":"1","output":"1","max_output_tokens":0}]}"#,
                ["prices", "0", "max_output_tokens"]
            ),
            (#"{"prices":[{"model":"a b","input":"1","output":"1"}]}"#, ["prices", "0", "model"]),
            (#"{"prices":[{"model":"m","input":1,"output":1},{"model":"m","input":2,"output":2}]}"#, ["prices", "1"]),
            (#"{"aliases":{"a":"b","b/x":"c","c":"d"}}"#, ["aliases", "b/x"]),
            (#"{"aliases":{"a/b":"a/b"}}"#, ["aliases", "a/b"]),
            (#"{"aliases":{"a~/b*":"m"}}"#, ["aliases", "a~/b*"]),
            (#"{"aliases":{"a":7}}"#, ["aliases", "a"]),
        ])
    func refusals(json: String, path: [String]) {
        #expect(codingPath(of: PriceBook.self, json) == path)
    }

    @Test("a book has at most 10,000 prices and 1,000 aliases")
    func limits() throws {
        let prices = try (0...PriceBook.maximumPrices).map { try Self.price("m\($0)*", 1) }
        let aliases = Dictionary(uniqueKeysWithValues: (0...PriceBook.maximumAliases).map { ("a\($0)", "m") })
        #expect(throws: ValueError(message: "must have at most 10000 entries", field: "prices")) {
            try PriceBook(prices: prices)
        }
        #expect(throws: ValueError(message: "must have at most 1000 entries", field: "aliases")) {
            try PriceBook(prices: [], aliases: aliases)
        }
        let full = try PriceBook(prices: Array(prices.dropLast()), aliases: aliases.filter { $0.key != "a0" })
        #expect(full.price(model: "m77-x", at: 0)?.model == "m77*")
    }
}
