// Publish and subscribe against a real server.

import RedisClient
import Testing
import TopologySupport

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

    @Test("After a restart it subscribes again and says so")
    func resubscribes() async throws {
        let server = try startedServer()
        try await withClient(server.url) { client async throws in
            var pushes = client.subscribe(["a"]).makeAsyncIterator()
            for round in 1...3 {
                #expect(await pushes.next() == .subscribed)
                _ = try await client.send(["PUBLISH", "a", "\(round)"])
                #expect(await pushes.next() == .message(channel: "a", payload: "\(round)"))
                server.kill()
                try server.start()
            }
        }
    }

    @Test("A frozen server is noticed by its silence")
    func frozenServer() async throws {
        let server = try startedServer()
        let short = Duration.milliseconds(200)
        try await withClient(server.url, configure: { ($0.commandTimeout, $0.connectTimeout) = (short, short) }) {
            client async throws in
            var pushes = client.subscribe(["a"]).makeAsyncIterator()
            #expect(await pushes.next() == .subscribed)
            server.freeze()
            try await Task.sleep(for: .seconds(2))
            server.thaw()
            #expect(await pushes.next() == .subscribed)
        }
    }

    @Test("Its connection ends when the stream is dropped")
    func dropped() async throws {
        let server = try startedServer()
        try await withClient(server.url) { client async throws in
            do {
                var pushes = client.subscribe(["a"]).makeAsyncIterator()
                #expect(await pushes.next() == .subscribed)
                #expect(try await client.send(["PUBSUB", "NUMSUB", "a"]).array?.last == .integer(1))
            }
            let hasEnded = try await eventually {
                try await client.send(["PUBSUB", "NUMSUB", "a"]).array?.last == .integer(0)
            }
            #expect(hasEnded)
            #expect(try await client.send(["CLIENT", "LIST", "TYPE", "pubsub"]).string == "")
        }
    }

    @Test("Its stream ends when the client stops, also a stream asked for later")
    func clientStops() async throws {
        let server = try startedServer()
        let (client, stream) = try await withClient(server.url) { client async throws in
            let stream = client.subscribe(["a"])
            var pushes = stream.makeAsyncIterator()
            #expect(await pushes.next() == .subscribed)
            return (client, stream)
        }
        for await _ in stream {}
        for await push in client.subscribe(["a"]) { Issue.record("unexpected \(push)") }
    }

    @Test("A reader that is too slow loses the oldest messages and is told to look again after them")
    func overflow() async throws {
        let server = try startedServer()
        try await withClient(server.url) { client async throws in
            var pushes = client.subscribe(["a"]).makeAsyncIterator()
            #expect(await pushes.next() == .subscribed)
            let count = 3000
            for number in 1...count { _ = try await client.send(["PUBLISH", "a", "\(number)"]) }
            _ = try await client.send(["PUBLISH", "a", "end"])
            try await Task.sleep(for: .milliseconds(300))
            var read: [RedisPush] = []
            while let push = await pushes.next() {
                read.append(push)
                if push == .message(channel: "a", payload: "end") {
                    if await pushes.next() == .subscribed { read.append(.subscribed) }
                    break
                }
            }
            #expect(read.count <= 1100)
            #expect(read.first != .message(channel: "a", payload: "1"))
            #expect(read.last == .subscribed)
        }
    }
}
