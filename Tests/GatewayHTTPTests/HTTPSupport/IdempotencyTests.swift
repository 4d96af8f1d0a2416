// A POST under one Idempotency-Key happens once.

import HTTPSupport
import HTTPTypes
import HummingbirdTesting
import NIOCore
import Synchronization
import Testing

@Suite("Idempotency keys")
struct IdempotencyTests {
    private final class Counter: Sendable {
        private let value = Atomic<Int>(0)
        func next() -> Int { value.add(1, ordering: .relaxed).newValue }
    }

    /// Answers with how often it ran, with the status that the body asks for.
    private static func routes(_ store: IdempotencyStore, keep: Duration = IdempotencyStore.day) -> [Route] {
        let counter = Counter()
        return ["/a", "/b"].map { path in
            route(.post, path, body: "Thing") { call in
                let body = try await call.body()
                let credential = call.headers[.apiKey] ?? "k"
                return try await store.run(call, credential: credential, body: body, keep: { _ in keep }) {
                    let count = counter.next()
                    let status = Int(String(buffer: body)) ?? 200
                    if status == 429 { throw Problem(.tooManyRequests, code: "budget_exhausted", detail: "no") }
                    return .json(.init(code: status)) { $0.field("count", count) }
                }
            }
        }
    }

    private static func post(
        _ client: any TestClientProtocol, _ path: String = "/a", key: String?, body: String = "200",
        credential: String = "k"
    ) async throws -> TestResponse {
        var headers: HTTPFields = [.apiKey: credential]
        headers[.idempotencyKey] = key
        return try await client.executeRequest(
            uri: path, method: .post, headers: headers, body: ByteBuffer(string: body))
    }

    @Test("A replay gives the first answer and says so")
    func replay() async throws {
        try await withTable(Self.routes(IdempotencyStore())) { client in
            let first = try await Self.post(client, key: "x", body: "201")
            let second = try await Self.post(client, key: "x", body: "201")
            #expect(first.status == .created && second.status == .created)
            #expect(first.headers[.idempotentReplayed] == nil)
            #expect(second.headers[.idempotentReplayed] == "true")
            #expect(first.body == second.body)
        }
    }

    @Test("Another key, path, caller or no key at all is another request")
    func scope() async throws {
        try await withTable(Self.routes(IdempotencyStore())) { client in
            let answers = [
                try await Self.post(client, key: "x"), try await Self.post(client, key: "y"),
                try await Self.post(client, "/b", key: "x"), try await Self.post(client, key: "x", credential: "other"),
                try await Self.post(client, key: nil), try await Self.post(client, key: nil),
            ]
            #expect(Set(answers.map { String(buffer: $0.body) }).count == answers.count)
        }
    }

    @Test("Another body under the same key is 422")
    func otherBody() async throws {
        try await withTable(Self.routes(IdempotencyStore())) { client in
            _ = try await Self.post(client, key: "x", body: "200")
            let answer = try await Self.post(client, key: "x", body: "201")
            #expect(answer.status == .unprocessableContent)
            #expect(try answer.problem().code == "idempotency_key_reused")
        }
    }

    @Test("While the first request runs, a second one is 409")
    func running() async throws {
        let started = AsyncStream<Void>.makeStream()
        let finish = AsyncStream<Void>.makeStream()
        let store = IdempotencyStore()
        let slow = route(.post, "/slow", body: "Thing") { call in
            let body = try await call.body()
            return try await store.run(call, credential: "k", body: body) {
                started.continuation.yield()
                _ = await finish.stream.first { _ in true }
                return .json { $0.field("done", true) }
            }
        }
        try await withTable([slow]) { client in
            async let first = Self.post(client, "/slow", key: "x")
            _ = await started.stream.first { _ in true }
            let second = try await Self.post(client, "/slow", key: "x")
            #expect(second.status == .conflict)
            #expect(try second.problem().code == "idempotency_key_in_use")
            finish.continuation.yield()
            #expect(try await first.status == .ok)
        }
    }

    @Test("A refusal and a pending answer changed nothing, so they are decided anew")
    func refusals() async throws {
        try await withTable(Self.routes(IdempotencyStore())) { client in
            for status in ["429", "202"] {
                let first = try await Self.post(client, key: status, body: status)
                let second = try await Self.post(client, key: status, body: status)
                #expect("\(first.status.code)" == status && "\(second.status.code)" == status)
                #expect(second.headers[.idempotentReplayed] == nil)
            }
        }
    }

    @Test("An answer is forgotten after its time")
    func expiry() async throws {
        try await withTable(Self.routes(IdempotencyStore(), keep: .zero)) { client in
            let first = try await Self.post(client, key: "x")
            #expect(try await Self.post(client, key: "x").body != first.body)
        }
    }

    @Test("The oldest answers go when there are too many")
    func capped() async throws {
        var limits = IdempotencyStore.Limits()
        limits.entries = 10
        try await withTable(Self.routes(IdempotencyStore(limits: limits))) { client in
            let first = try await Self.post(client, key: "0")
            for key in 1...10 { _ = try await Self.post(client, key: "\(key)") }
            #expect(try await Self.post(client, key: "0").body != first.body)
            #expect(try await Self.post(client, key: "10").headers[.idempotentReplayed] == "true")
        }
    }

    @Test("Refused requests leave nothing behind, also while an older answer stays")
    func bounded() async throws {
        let store = IdempotencyStore()
        try await withTable(Self.routes(store)) { client in
            _ = try await Self.post(client, key: "stays")
            for index in 0..<3000 { _ = try await Self.post(client, key: "k\(index)", body: "429") }
            #expect(try await Self.post(client, key: "stays").headers[.idempotentReplayed] == "true")
        }
        #expect(store.places < 1100)
    }

    @Test("A malformed key is refused", arguments: ["", "a b", String(repeating: "x", count: 256)])
    func malformed(key: String) async throws {
        try await withTable(Self.routes(IdempotencyStore())) { client in
            let answer = try await Self.post(client, key: key)
            #expect(answer.status == .unprocessableContent)
        }
    }
}
