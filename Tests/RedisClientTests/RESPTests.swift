// The codec: what goes on the wire, and what is made of the bytes that come back, however they are cut.

import NIOCore
import Testing
import TopologySupport

@testable import RedisClient

@Suite("The RESP2 codec")
struct RESPTests {
    private static let conversation: [(String, RESPValue)] = [
        ("+OK\r\n", .status("OK")), ("+\r\n", .status("")), ("-ERR no\r\n", .error("ERR no")),
        (":-9223372036854775808\r\n", .integer(.min)), ("$0\r\n\r\n", .bulk([])), ("$-1\r\n", .null),
        ("*-1\r\n", .null), ("*0\r\n", .array([])), ("$4\r\na\r\nb\r\n", .bulk(Array("a\r\nb".utf8))),
        (
            "*3\r\n*2\r\n:1\r\n*1\r\n$1\r\nx\r\n$-1\r\n-NO way\r\n",
            .array([.array([.integer(1), .array([.bulk([120])])]), .null, .error("NO way")])
        ),
    ]

    @Test("Replies are the same however their bytes are cut", arguments: [1, 2, 3, 5, 7, 1000])
    func split(size: Int) throws {
        let reader = ReplyReader()
        let bytes = Self.conversation.flatMap { Array($0.0.utf8) }
        var replies: [RESPValue] = []
        for start in stride(from: 0, to: bytes.count, by: size) {
            try reader.feed(Array(bytes[start..<min(start + size, bytes.count)]), into: &replies)
        }
        #expect(replies == Self.conversation.map(\.1))
    }

    @Test(
        "Bytes that are not RESP2 are a protocol violation, and replies before them are kept",
        arguments: ["hello\r\n", "?1\r\n", "*x\r\n", "$-2\r\n", "*-2\r\n", ":1x\r\n", "_\r\n", "%1\r\n"])
    func malformed(text: String) {
        var replies: [RESPValue] = []
        let error = violation(ReplyReader(), "+OK\r\n" + text, &replies)
        #expect(error?.code == .protocolViolation)
        #expect(replies == [.status("OK")])
    }

    @Test("Nesting is bounded: seven arrays deep is a reply, twelve are not")
    func nesting() {
        var replies: [RESPValue] = []
        #expect(violation(ReplyReader(), String(repeating: "*1\r\n", count: 7) + ":1\r\n", &replies) == nil)
        #expect(replies.count == 1)
        #expect(violation(ReplyReader(), String(repeating: "*1\r\n", count: 12), &replies)?.code == .protocolViolation)
    }

    @Test("A reply may have as many bytes as the limit, and not one read more")
    func bytes() {
        let limits = ReplyLimits(bytes: 100, elements: 10)
        var replies: [RESPValue] = []
        let fits = "$93\r\n" + String(repeating: "x", count: 93) + "\r\n"
        // The limit is on one reply, not on the connection.
        let reader = ReplyReader(limits: limits)
        for _ in 1...3 { #expect(violation(reader, fits, &replies) == nil) }
        #expect(replies.count == 3)
        for claim in ["1000000000", "9223372036854775807"] {
            let open = "$\(claim)\r\n" + String(repeating: "x", count: 100)
            #expect(violation(ReplyReader(limits: limits), open, &replies)?.code == .protocolViolation)
        }
        let line = "+" + String(repeating: "x", count: 100)
        #expect(violation(ReplyReader(limits: limits), line, &replies)?.code == .protocolViolation)
    }

    @Test(
        "An array that claims more elements than allowed is refused before memory is set aside for it",
        arguments: ["*2147483647\r\n", "*11\r\n", "*6\r\n*6\r\n", "*1\r\n*1\r\n*9\r\n"])
    func elements(text: String) {
        var replies: [RESPValue] = []
        let limits = ReplyLimits(bytes: 1000, elements: 10)
        let error = violation(ReplyReader(limits: limits), text, &replies)
        #expect(error?.code == .protocolViolation)
        #expect(error?.message.contains("more than 10 elements") == true)
    }

    @Test("The limit on elements holds for each reply on its own")
    func elementsOfEachReply() {
        let reader = ReplyReader(limits: ReplyLimits(bytes: 1000, elements: 3))
        var replies: [RESPValue] = []
        for _ in 1...3 { #expect(violation(reader, "*3\r\n:1\r\n:2\r\n:3\r\n", &replies) == nil) }
        #expect(replies.count == 3)
    }

    @Test("A command is an array of bulk strings whose lengths are bytes")
    func encode() throws {
        let bytes = try CommandEncoder.encode(["SET", "", "naïve\0\r\n"])
        #expect(String(buffer: bytes) == "*3\r\n$3\r\nSET\r\n$0\r\n\r\n$9\r\nnaïve\0\r\n\r\n")
        #expect(String(buffer: try CommandEncoder.encode([""])) == "*1\r\n$0\r\n\r\n")
    }

    @Test("A command that is too large is refused")
    func tooLarge() async {
        for (word, isRefused) in [("six", false), ("seven", true)] {
            let error = await failure { () throws(RedisError) in
                try CommandEncoder.encode(["SET", word], maxBytes: 7)
            }
            #expect((error?.code == .protocolViolation) == isRefused)
        }
    }

    @Test("Values read as strings and integers only when they are")
    func conveniences() {
        #expect(RESPValue.bulk(Array("12".utf8)).int == 12)
        #expect(RESPValue.bulk(Array("1e3".utf8)).int == nil)
        #expect(RESPValue.bulk([0xff]).string == nil)
        #expect(RESPValue.error("ERR").string == nil)
        #expect(RESPValue.integer(1).string == nil)
        #expect(RESPValue.null.isNull)
    }

    private func violation(_ reader: ReplyReader, _ text: String, _ replies: inout [RESPValue]) -> RedisError? {
        do throws(RedisError) {
            try reader.feed(Array(text.utf8), into: &replies)
            return nil
        } catch {
            return error
        }
    }
}

extension ReplyReader {
    fileprivate func feed(_ bytes: [UInt8], into replies: inout [RESPValue]) throws(RedisError) {
        let outcome = bytes.withUnsafeBytes { bytes -> Result<Void, RedisError> in
            do throws(RedisError) {
                return .success(try feed(bytes, into: &replies))
            } catch {
                return .failure(error)
            }
        }
        try outcome.get()
    }
}
