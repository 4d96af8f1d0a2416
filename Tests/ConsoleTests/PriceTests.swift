// The price book over the wire.

import HTTPTypes
import HummingbirdTesting
import NIOCore
import Testing

@testable import Console

@Suite("Prices")
struct PriceTests {
    static let path = "/api/v1/prices"
    static let yaml = """
        prices:
        - {model: "gpt-4o*", from: 2026-01-01, input: "2.5", cache_read: 1.25, output: 10, max_output_tokens: 16384}
        aliases: {fast: gpt-4o-mini}
        """

    /// What a PUT is answered.
    private func code(_ console: LiveConsole, _ body: String, _ type: String?, tag: String? = nil) async throws -> Int {
        try await put(console, body, type, tag: tag).status.code
    }

    private func put(_ console: LiveConsole, _ body: String, _ type: String?, tag: String? = nil) async throws -> Reply
    {
        var headers: HTTPFields = [:]
        headers[.contentType] = type
        headers[.ifMatch] = tag
        return try await console.client.execute(
            uri: Self.path, method: .put, headers: headers + [.authorization: "Bearer \(LiveConsole.token)"],
            body: .init(string: body)
        ) { Reply($0) }
    }

    @Test("YAML and JSON are taken, and what GET answers can be put again")
    func forms() async throws {
        try await LiveConsole.run { console in
            #expect(try await console.get(Self.path)["prices"].list.isEmpty)
            let first = try await put(console, Self.yaml, "application/yaml")
            #expect(first.status == .created)
            #expect(first["prices"].list.first?["input"].text == "2.5")
            #expect(first["prices"].list.first?["output"].text == "10")
            #expect(first["aliases.fast"].text == "gpt-4o-mini")
            let read = try await console.get(Self.path)
            #expect(read.json == first.json && read.headers[.eTag] == first.headers[.eTag])
            #expect(try await put(console, read.text, "application/json").status == .ok)
            #expect(try await put(console, Self.yaml, nil).status == .ok)
            let version = try #require(first.headers[.eTag]).trimming("\"")
            #expect(try await console.get(Self.path + "?version=\(version)").json == first.json)
            #expect(try await console.get(Self.path + "?version=1").status == .notFound)
        }
    }

    @Test(
        "A wrong book is refused naming the place and replaces nothing",
        arguments: [
            (#"{"prices":[{"model":"x","input":"1"}]}"#, 422, "/prices/0/output"),
            (#"{"prices":[{"model":"x","input":"-1","output":"1"}]}"#, 422, "/prices/0/input"),
            (#"{"prices":[{"model":"x","input":"1","output":"1","outptu":"1"}]}"#, 422, "/prices/0/outptu"),
            (#"{"prices":{}}"#, 422, "/prices"), (#"{"rates":[]}"#, 422, "/rates"), (#"{"#, 400, nil), ("[]", 422, ""),
        ] as [(String, Int, String?)])
    func refusals(_ body: String, _ status: Int, _ pointer: String?) async throws {
        try await LiveConsole.run { console in
            _ = try await put(console, Self.yaml, "text/yaml")
            let before = try await console.get(Self.path)
            let reply = try await put(console, body, "application/json")
            #expect(reply.status.code == status, "\(reply)")
            #expect(reply["errors"].list.first?["pointer"].text == pointer, "\(reply)")
            #expect(try await console.get(Self.path).headers[.eTag] == before.headers[.eTag])
        }
    }

    @Test("YAML that is none, that is no UTF-8, or that unfolds without end is refused")
    func hostileYAML() async throws {
        try await LiveConsole.run { console in
            let broken = try await code(console, "a: [", "text/yaml")
            #expect(broken == 400)
            let empty = try await code(console, "", "text/yaml")
            #expect(empty == 422)
            var bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n"
            for level in 1..<12 {
                bomb += "a\(level): &a\(level) [" + Array(repeating: "*a\(level - 1)", count: 9).joined(separator: ",")
                bomb += "]\n"
            }
            let endless = try await code(console, bomb, "text/yaml")
            #expect(endless == 422)
            let untyped = try await code(console, "prices: 1", "text/plain")
            #expect(untyped == 415)
        }
    }

    @Test("If-Match with another version is 412")
    func conditions() async throws {
        try await LiveConsole.run { console in
            let first = try await put(console, Self.yaml, "text/yaml")
            let stale = try await code(console, Self.yaml, "text/yaml", tag: "\"1\"")
            #expect(stale == 412)
            #expect(try await put(console, Self.yaml, "text/yaml", tag: first.headers[.eTag]).status == .ok)
        }
    }
}

extension String {
    func trimming(_ text: String) -> String { replacing(text, with: "") }
}

private func + (left: HTTPFields, right: HTTPFields) -> HTTPFields {
    var sum = left
    for field in right { sum.append(field) }
    return sum
}
