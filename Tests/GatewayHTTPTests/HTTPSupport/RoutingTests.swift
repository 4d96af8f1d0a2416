// Whatever a client sends, it gets a fitting status and a problem; nothing of ours leaks.

import HTTPSupport
import HTTPTypes
import HummingbirdTesting
import NIOCore
import Testing

@Suite("Routing")
struct RoutingTests {
    private static let echo = route(.post, "/things", body: "Thing", bodyLimit: 100) { call in
        let bytes = try await call.body()
        return .json { $0.field("bytes", bytes.readableBytes) }
    }

    private static let read = route(.get, "/things/{id}") { call in
        try call.noQuery()
        return .json { $0.field("id", call.parameter("id")) }
    }

    private static let special = route(.get, "/things/special") { _ in .text("special") }
    private static let act = route(.post, "/things/{id}/act") { call in .text(call.parameter("id")) }

    private static let list = route(.get, "/things") { call in
        let page = try call.query { (query: inout Query) throws(Problem) in try Page(&query) }
        return Page.answer(0..<page.limit, next: page.position ?? "first") { $0.integer($1) }
    }

    private static let routes = [echo, read, special, act, list]

    @Test("An unknown path is 404")
    func unknown() async throws {
        try await withTable(Self.routes) { client in
            for path in ["/", "/thing", "/things/", "/things/a/b", "/things/a/act/", "//things", "/things/%zz"] {
                let answer = try await client.executeRequest(uri: path, method: .get, headers: [:], body: nil)
                #expect(answer.status == .notFound, "\(path)")
                #expect(answer.headers[.contentType] == "application/problem+json")
                #expect(try answer.problem().code == "not_found")
            }
        }
    }

    @Test("A wrong method is 405 and tells the right ones")
    func method() async throws {
        try await withTable(Self.routes) { client in
            let answer = try await client.executeRequest(uri: "/things", method: .delete, headers: [:], body: nil)
            #expect(answer.status == .methodNotAllowed)
            #expect(answer.headers[.allow] == "GET, POST")
        }
    }

    @Test("A literal segment wins over a parameter, and parameters are decoded")
    func parameters() async throws {
        try await withTable(Self.routes) { client in
            let special = try await client.executeRequest(uri: "/things/special", method: .get, headers: [:], body: nil)
            #expect(String(buffer: special.body) == "special")
            let decoded = try await client.executeRequest(uri: "/things/a%2Fb", method: .get, headers: [:], body: nil)
            #expect(String(buffer: decoded.body) == #"{"id":"a/b"}"#)
            let acted = try await client.executeRequest(uri: "/things/x/act", method: .post, headers: [:], body: nil)
            #expect(String(buffer: acted.body) == "x")
        }
    }

    @Test("HEAD answers as GET without the body")
    func head() async throws {
        try await withTable([Self.special]) { client in
            let answer = try await client.executeRequest(uri: "/things/special", method: .head, headers: [:], body: nil)
            #expect(answer.status == .ok)
            #expect(answer.body.readableBytes == 0)
            #expect(answer.headers[.contentLength] == "7")
        }
    }

    @Test("A body over the limit is 413, announced or not")
    func tooLarge() async throws {
        for setup in [TestingSetup.router, .live] {
            try await withTable(Self.routes, over: setup) { client in
                let fits = try await client.executeRequest(
                    uri: "/things", method: .post, headers: [:], body: ByteBuffer(repeating: 0x20, count: 100))
                #expect(fits.status == .ok)
                let over = try await client.executeRequest(
                    uri: "/things", method: .post, headers: [:], body: ByteBuffer(repeating: 0x20, count: 101))
                #expect(over.status == .contentTooLarge)
                #expect(try over.problem().code == "body_too_large")
                let next = try await client.executeRequest(uri: "/things/a", method: .get, headers: [:], body: nil)
                #expect(next.status == .ok)
            }
        }
    }

    @Test("Another content type than JSON is 415")
    func mediaType() async throws {
        try await withTable(Self.routes) { client in
            for (type, status) in [
                ("application/json", HTTPResponse.Status.ok), ("application/json; charset=utf-8", .ok),
                ("Application/JSON", .ok), ("text/plain", .unsupportedMediaType), ("", .unsupportedMediaType),
            ] {
                let answer = try await client.executeRequest(
                    uri: "/things", method: .post, headers: [.contentType: type], body: ByteBuffer(string: "{}"))
                #expect(answer.status == status, "\(type)")
            }
        }
    }

    @Test("A defect is 500 with the request id and nothing else of what went wrong")
    func defect() async throws {
        struct Secret: Error {}
        try await withTable([route(.get, "/broken") { _ in throw Secret() }]) { client in
            let answer = try await client.executeRequest(
                uri: "/broken", method: .get, headers: [.requestID: "abc-1"], body: nil)
            #expect(answer.status == .internalServerError)
            #expect(answer.headers[.requestID] == "abc-1")
            #expect(try answer.problem().code == "internal_error")
            #expect(!String(buffer: answer.body).contains("Secret"))
            #expect(try answer.problem().detail.contains("abc-1"))
        }
    }

    @Test("An error of a lower floor is translated")
    func translated() async throws {
        struct Lower: Error {}
        let routes = [route(.get, "/broken") { _ in throw Lower() }]
        try await withTable(routes, translate: { $0 is Lower ? .ledgerUnavailable() : nil }) { client in
            let answer = try await client.executeRequest(uri: "/broken", method: .get, headers: [:], body: nil)
            #expect(answer.status == .serviceUnavailable)
            #expect(answer.headers[.retryAfter] == "1")
        }
    }

    @Test("A request id is made where none, or a bad one, is given")
    func requestIDs() async throws {
        try await withTable(Self.routes) { client in
            for given in ["", String(repeating: "x", count: 129), "a b"] {
                let answer = try await client.executeRequest(
                    uri: "/things/a", method: .get, headers: [.requestID: given], body: nil)
                let made = try #require(answer.headers[.requestID])
                #expect(made != given && made.count >= 16)
            }
        }
    }

    @Test("Lists have a limit between 1 and 200, 50 by default, and an opaque cursor")
    func pages() async throws {
        try await withTable(Self.routes) { client in
            func get(_ query: String) async throws -> TestResponse {
                try await client.executeRequest(uri: "/things\(query)", method: .get, headers: [:], body: nil)
            }
            let first = try await get("")
            #expect(String(buffer: first.body).contains("49]"))
            let whole = String(buffer: first.body)
            let cursor = try #require(whole.split(separator: "\"next_cursor\":\"").last?.prefix { $0 != "\"" })
            #expect(try await get("?cursor=\(cursor)&limit=200").status == .ok)
            for (query, pointer) in [
                ("?limit=0", "?limit"), ("?limit=201", "?limit"), ("?limit=x", "?limit"), ("?cursor=abcd", "?cursor"),
                ("?limit=1&limit=2", "?limit"), ("?colour=red", "?colour"), ("?limit=", "?limit"),
            ] {
                let answer = try await get(query)
                #expect(answer.status == .unprocessableContent, "\(query)")
                #expect(try answer.problem().pointers == [pointer])
            }
            #expect(try await get("?limit=%f").status == .badRequest)
            #expect(try await get("?limit=%ff").status == .badRequest)
        }
    }

    @Test("A trickling body is cut off with 408")
    func trickle() async throws {
        var limits = RequestLimits()
        limits.bodyTimeout = .zero
        try await withTable(
            [
                route(.post, "/slow", body: "Thing") {
                    _ = try await $0.body(); return .noContent
                }
            ], limits: limits
        ) {
            client in
            let body = ByteBuffer(repeating: 0x20, count: 100_000)
            let answer = try await client.executeRequest(uri: "/slow", method: .post, headers: [:], body: body)
            #expect(answer.status == .requestTimeout)
        }
    }
}
