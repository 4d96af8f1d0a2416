// Bodies are read strictly: what is not JSON is a 400, what is wrong with a field is a 422 that names it.

import HTTPSupport
import HTTPTypes
import NIOCore
import Testing

@Suite("JSON bodies")
struct JSONTests {
    @Test(
        "A text that breaks the grammar is malformed",
        arguments: [
            "", " ", "{", "}", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "[1,]", "{\"a\":1}x", "nul", "NaN", "-", "01", "1.",
            ".5", "1e", "+1", "\"\\x\"", "\"\\u12g4\"", "\"\\ud800\"", "\"\\udc00\"", "\"\u{1}\"", "{a:1}", "'a'",
            "{\"a\":Infinity}", "\"open",
        ])
    func malformed(text: String) {
        #expect(throws: Problem.self) { _ = try JSONDocument(ByteBuffer(string: text)) }
        do {
            _ = try JSONDocument(ByteBuffer(string: text))
        } catch {
            #expect(error.status == .badRequest)
            #expect(error.code == "malformed_json")
        }
    }

    @Test(
        "Well-formed text passes",
        arguments: ["{}", "[]", " { \"a\" : [ 1 , -0.5e+3 , null , true , false , \"\\u00e9\\ud83d\\ude00\" ] } ", "0"])
    func wellFormed(text: String) throws { _ = try JSONDocument(ByteBuffer(string: text)) }

    @Test("Bytes that are not UTF-8 are malformed")
    func notUTF8() {
        let bytes: [UInt8] = Array("{\"a\":\"".utf8) + [0xC3, 0x28] + Array("\"}".utf8)
        #expect(throws: Problem.self) { _ = try JSONDocument(ByteBuffer(bytes: bytes)) }
    }

    @Test("A duplicate key is malformed, also when one of the two is written with escapes")
    func duplicates() {
        #expect(throws: Problem.self) { _ = try JSONDocument(ByteBuffer(string: #"{"a":1,"a":2}"#)) }
        #expect(throws: Problem.self) { _ = try JSONDocument(ByteBuffer(string: #"{"a":1,"\u0061":2}"#)) }
        let many = (0..<40).map { "\"k\($0)\":1" }.joined(separator: ",")
        #expect(throws: Never.self) { _ = try JSONDocument(ByteBuffer(string: "{\(many)}")) }
        #expect(throws: Problem.self) { _ = try JSONDocument(ByteBuffer(string: "{\(many),\"k7\":1}")) }
    }

    @Test("Nesting has a limit")
    func depth() {
        let deep = { (count: Int) in
            String(repeating: "[", count: count) + String(repeating: "]", count: count)
        }
        #expect(throws: Never.self) { _ = try JSONDocument(ByteBuffer(string: deep(JSONDocument.maximumDepth))) }
        #expect(throws: Problem.self) { _ = try JSONDocument(ByteBuffer(string: deep(JSONDocument.maximumDepth + 1))) }
        #expect(throws: Problem.self) { _ = try JSONDocument(ByteBuffer(string: deep(100_000))) }
    }

    @Test("Every wrong field is named by its pointer in one answer")
    func pointers() {
        let body = #"{"name":5,"count":-1,"inner":{"flag":"yes","x/y~z":1},"list":[{"n":1},{"n":"a"}],"more":1}"#
        do {
            try JSONFields.decode(ByteBuffer(string: body)) { (fields: inout JSONFields) throws(Problem) in
                _ = fields.string("name")
                _ = fields.integer("count", in: 0...10)
                _ = try fields.object("inner") { (inner: inout JSONFields) throws(Problem) in inner.bool("flag") }
                _ = try fields.objects("list", maximum: 5) { (item: inout JSONFields) throws(Problem) in
                    item.integer("n", in: 0...10)
                }
                fields.require("missing")
            }
            Issue.record("nothing was thrown")
        } catch {
            #expect(error.status == .unprocessableContent)
            #expect(
                Set(error.errors.map(\.pointer))
                    == ["/name", "/count", "/inner/flag", "/inner/x~1y~0z", "/list/1/n", "/missing", "/more"])
        }
    }

    @Test("Null counts as left out, and can be told from it")
    func null() throws {
        let seen = try JSONFields.decode(ByteBuffer(string: #"{"a":null}"#)) { (fields: inout JSONFields) in
            (value: fields.string("a"), has: fields.has("a"), isNull: fields.isNull("a"), other: fields.has("b"))
        }
        #expect(seen.value == nil && seen.has && seen.isNull && !seen.other)
    }

    @Test("Escaped strings and keys are decoded")
    func escapes() throws {
        let body = #"{"\u0061":"\"\\\/\b\f\n\r\tä😀\u00e4\ud83d\ude00"}"#
        let value = try JSONFields.decode(ByteBuffer(string: body)) { (fields: inout JSONFields) in fields.string("a") }
        #expect(value == "\"\\/\u{8}\u{c}\n\r\tä😀ä😀")
    }

    @Test("A map has limits on entries and bytes")
    func map() throws {
        func read(_ body: String) throws -> [String: String]? {
            try JSONFields.decode(ByteBuffer(string: body)) { (fields: inout JSONFields) in
                fields.map("tags", maximum: 2, maxBytes: 4)
            }
        }
        #expect(try read(#"{"tags":{"a":"1","b":""}}"#) == ["a": "1", "b": ""])
        for bad in [
            #"{"tags":{"a":"1","b":"2","c":"3"}}"#, #"{"tags":{"a":"12345"}}"#, #"{"tags":{"abcde":"1"}}"#,
            #"{"tags":{"":"1"}}"#, #"{"tags":{"a":1}}"#, #"{"tags":[]}"#,
        ] {
            #expect(throws: Problem.self) { _ = try read(bad) }
        }
    }

    @Test(
        "Decimals are exact",
        arguments: [
            ("5", 6, 5_000_000), ("0.000001", 6, 1), ("1e-06", 6, 1), ("1.50", 6, 1_500_000), ("-2.5", 6, -2_500_000),
            ("1E3", 0, 1000), ("1.0", 0, 1), ("9223372036854775807", 0, Int64.max),
            ("1.00000000000000000000000000000", 6, 1_000_000), ("0e400", 6, 0), ("0.1", 9, 100_000_000),
        ] as [(String, Int, Int64)])
    func decimals(text: String, places: Int, expected: Int64) {
        #expect(ExactDecimal.parse(text, places: places) == expected)
    }

    @Test(
        "What is no decimal, too fine or too large is refused",
        arguments: [
            "", "-", ".5", "5.", "1e", "0.0000001", "9223372036854.775808", "1e400", "1e-400", "1 ", "0x1", "1,5",
        ])
    func badDecimals(text: String) { #expect(ExactDecimal.parse(text, places: 6) == nil) }

    @Test("The writer puts in commas and escapes, and shows amounts without trailing zeros")
    func writer() {
        var json = JSONWriter()
        json.object { json in
            json.field("text", "a\"\\\n\u{1}é")
            json.field("none", nil as String?)
            json.field("number", Int64.min)
            json.field("flag", true)
            json.decimal("usd", 1_203_500_000, places: 6)
            json.decimal("small", -1, places: 9)
            json.array("list", [1, 2]) { $0.integer($1) }
            json.object("empty") { _ in }
            json.time("at", 1_780_000_000_123)
        }
        #expect(
            String(buffer: json.buffer)
                == #"{"text":"a\"\\\n\u0001é","none":null,"number":-9223372036854775808,"flag":true,"usd":"1203.5","#
                + #""small":"-0.000000001","list":[1,2],"empty":{},"at":"2026-05-28T20:26:40.123Z"}"#)
    }

    @Test(
        "Times are read and written in RFC 3339",
        arguments: [
            ("1970-01-01T00:00:00Z", 0), ("2000-02-29T12:00:00Z", 951_825_600_000),
            ("1969-12-31T23:59:59.999Z", -1), ("2026-11-24T14:07:13Z", 1_795_529_233_000),
            ("9999-12-31T23:59:59Z", 253_402_300_799_000),
        ] as [(String, Int64)])
    func times(text: String, milliseconds: Int64) {
        #expect(RFC3339.parse(text) == milliseconds)
        #expect(RFC3339.string(milliseconds) == text)
    }

    @Test("An offset and a fraction count")
    func offsets() {
        #expect(RFC3339.parse("2026-11-24T16:07:13.5+02:00") == 1_795_529_233_500)
        #expect(RFC3339.parse("2026-11-24t12:37:13.123456-01:30") == 1_795_529_233_123)
    }

    @Test(
        "What is no time is refused",
        arguments: [
            "", "2026-11-24", "2026-13-01T00:00:00Z", "2026-02-29T00:00:00Z", "2026-11-24T24:00:00Z",
            "2026-11-24T14:07:13", "2026-11-24T14:07:13.Z", "2026-11-24 14:07:13Z", "2026-11-24T14:07:13+2:00",
            "2026-11-24T14:07:13ZZ",
        ])
    func badTimes(text: String) { #expect(RFC3339.parse(text) == nil) }
}
