// Publish and subscribe against a real server.

import RedisClient
import Testing

@Suite("Subscriptions to a real server", .timeLimit(.minutes(1)))
struct SubscriptionTests {
    @Test("A subscription says when it stands and then yields what is published, in order")
    func messages() async throws {
        let server = try startedServer()
        try await withClient(server.url) { client async throws in
            var pushes = client.subscribe(["a", "b"]).makeAsyncIterator()
            #expect(await pushes.next() == .subscribed)
            for number in 1...3 { _ = try await client.send(["PUBLISH", "a", "\(number)"]) }
            _ = try await client.send(["PUBLISH", "b", "line\r\nend"])
            for number in 1...3 { #expect(await pushes.next() == .message(channel: "a", payload: "\(number)")) }
            #expect(await pushes.next() == .message(channel: "b", payload: "line\r\nend"))
        }
    }
}
