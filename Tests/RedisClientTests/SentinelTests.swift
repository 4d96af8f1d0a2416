// A client that Sentinels lead, through failovers.

import RedisClient
import Synchronization
import Testing
import TopologySupport

@Suite("Sentinel", .serialized, .timeLimit(.minutes(3)))
struct SentinelTests {
    @Test(
        "The primary killed under load: the client goes on with the new one, its subscription too, no reply is mixed up"
    )
    func killedPrimary() async throws {
        let set = try await SentinelSet.start()
        try await withClient(set.url, configure: { $0.commandTimeout = .seconds(1) }) { client async throws in
            let load = Load()
            let heard = Hearing(client, channel: "news")
            try await heard.waits(on: client)
            try await load.run(client, keys: ["a", "b"], workers: 32) {
                try await load.answers(more: 1000)
                set.primary.kill()
                try await load.answers(more: 2000)
            }
            try await heard.waits(on: client)
            heard.stop()
            let counts = load.counts.withLock { $0 }
            #expect(counts.misattributed == 0)
            #expect(counts.unexpected.map(\.description) == [])
            // The Sentinels doubt for half a second and may need a second election; the rest is for a busy machine.
            #expect(counts.longestGap < .seconds(20))
            #expect(try await client.send(["ROLE"]).array?.first?.string == "master")
            #expect(try await set.announcedPort(by: set.sentinels[0]) != set.primary.port)
        }
    }

    @Test("A failover by command leaves the old primary alive: the client leaves it")
    func orderedFailover() async throws {
        let set = try await SentinelSet.start()
        try await withClient(set.url) { client async throws in
            let load = Load()
            try await load.run(client, keys: ["a"], workers: 16) {
                try await load.answers(more: 500)
                try await ask(set.sentinels[1], "SENTINEL", "FAILOVER", SentinelSet.service)
                try await patiently("another primary is announced") {
                    try await set.announcedPort(by: set.sentinels[1]) != set.primary.port
                }
                try await patiently("the client is with the announced one") {
                    let port = try await client.send(["CONFIG", "GET", "port"]).array?.last?.int.map { Int($0) }
                    return try await port == set.announcedPort(by: set.sentinels[1])
                }
                try await load.answers(more: 500)
            }
            let counts = load.counts.withLock { $0 }
            #expect(counts.misattributed == 0)
            #expect(counts.unexpected.map(\.description) == [])
            #expect(try await client.send(["ROLE"]).array?.first?.string == "master")
        }
    }

    @Test("A dead Sentinel, one that knows another service, and one that names a replica lead nobody astray")
    func doubtfulSentinels() async throws {
        let primary = try startedPrimary()
        try await patiently("the primary answers") { try await ask(primary, "PING") == .status("PONG") }
        let replica = try await startedReplica(of: primary)
        let dead = try LoopbackServer(sentinel: [])
        let stranger = try LoopbackServer(sentinel: ["sentinel monitor other 127.0.0.1 \(primary.port) 1"])
        // It holds the replica for the primary, and is in no hurry to doubt it.
        let stale = try LoopbackServer(sentinel: [
            "sentinel monitor books 127.0.0.1 \(replica.port) 1", "sentinel down-after-milliseconds books 3600000",
        ])
        let good = try LoopbackServer(sentinel: ["sentinel monitor books 127.0.0.1 \(primary.port) 1"])
        for sentinel in [stranger, stale, good] { try sentinel.start() }
        let ports = [dead, stranger, stale, good].map { "127.0.0.1:\($0.port)" }.joined(separator: ",")
        try await withClient("redis+sentinel://\(ports)/books") { client async throws in
            #expect(try await client.send(["ROLE"]).array?.first?.string == "master")
            #expect(try await client.send(["SET", "k", "v"]) == .status("OK"))
        }
    }
}

/// Listens to a channel through a client for the length of a test.
final class Hearing: Sendable {
    private let task: Task<Void, Never>
    private let messages: AsyncStream<String>
    private let channel: String

    init(_ client: RedisClient, channel: String) {
        let (messages, output) = AsyncStream.makeStream(of: String.self)
        self.messages = messages
        self.channel = channel
        task = Task {
            for await push in client.subscribe([channel]) {
                if case .message(_, let payload) = push { output.yield(payload) }
            }
            output.finish()
        }
    }

    /// Publishes new words until one of them is heard.
    func waits(on client: RedisClient) async throws {
        let word = "\(UInt64.random(in: 0 ... .max))"
        let publisher = Task {
            while !Task.isCancelled {
                _ = try? await client.send(["PUBLISH", channel, word])
                try? await Task.sleep(for: .milliseconds(20))
            }
        }
        defer { publisher.cancel() }
        for await heard in messages where heard == word { return }
        Issue.record("the subscription has ended")
    }

    func stop() { task.cancel() }
}
