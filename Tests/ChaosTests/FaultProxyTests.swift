// The link of the chaos runs does what its faults promise; else a green table would mean nothing.

import Chaos
import NIOCore
import NIOPosix
import Synchronization
import Testing

@Suite("A link with faults", .timeLimit(.minutes(1)))
struct FaultProxyTests {
    @Test("Without a fault bytes pass both ways")
    func passes() async throws {
        try await withLink { proxy, server in
            let client = try await Caller.connect(proxy.port)
            client.send("one")
            #expect(try await client.received("one"))
            #expect(server.heard == "one")
        }
    }

    @Test("A cut ends connections, also new ones, until it is healed")
    func cut() async throws {
        try await withLink { proxy, _ in
            let client = try await Caller.connect(proxy.port)
            client.send("one")
            #expect(try await client.received("one"))
            proxy.cut()
            #expect(try await client.ended())
            let refused = try await Caller.connect(proxy.port)
            #expect(try await refused.ended())
            proxy.heal()
            let healed = try await Caller.connect(proxy.port)
            healed.send("two")
            #expect(try await healed.received("two"))
        }
    }

    @Test("What is held towards the server arrives there only when the link is healed")
    func holdsRequests() async throws {
        try await withLink { proxy, server in
            let client = try await Caller.connect(proxy.port)
            client.send("one")
            #expect(try await client.received("one"))
            proxy.hold([.toServer])
            client.send("two")
            try await Task.sleep(for: .milliseconds(200))
            #expect(server.heard == "one")
            proxy.heal()
            #expect(try await client.received("onetwo"))
        }
    }

    @Test("What is held towards the client has been done by the server, and the client does not know")
    func holdsAnswers() async throws {
        try await withLink { proxy, server in
            let client = try await Caller.connect(proxy.port)
            proxy.hold([.toClient])
            client.send("one")
            #expect(try await eventually { server.heard == "one" })
            try await Task.sleep(for: .milliseconds(200))
            #expect(client.heard.isEmpty)
            #expect(!client.isEnded)
            proxy.heal()
            #expect(try await client.received("one"))
        }
    }

    @Test("A delay counts in each direction and keeps the order of bytes")
    func delays() async throws {
        try await withLink { proxy, _ in
            let client = try await Caller.connect(proxy.port)
            proxy.delay(.milliseconds(150))
            let start = ContinuousClock.now
            for word in ["one", "two", "three"] { client.send(word) }
            #expect(try await client.received("onetwothree"))
            #expect(ContinuousClock.now - start >= .milliseconds(300))
        }
    }

    private func withLink(_ body: (FaultProxy, EchoServer) async throws -> Void) async throws {
        let server = try await EchoServer.start()
        let proxy = try await FaultProxy.start(to: server.port)
        do {
            try await body(proxy, server)
        } catch {
            proxy.stop()
            server.stop()
            throw error
        }
        proxy.stop()
        server.stop()
    }
}

/// Waits for a condition, at most ten seconds.
private func eventually(_ condition: () -> Bool) async throws -> Bool {
    for _ in 0..<2000 where !condition() { try await Task.sleep(for: .milliseconds(5)) }
    return condition()
}

/// Collects what arrives, as text.
private final class Ear: Sendable {
    private let state = Mutex((text: "", isEnded: false))
    var text: String { state.withLock { $0.text } }
    var isEnded: Bool { state.withLock { $0.isEnded } }
    func hear(_ more: String) { state.withLock { $0.text += more } }
    func end() { state.withLock { $0.isEnded = true } }
}

private final class EarHandler: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer
    let ear: Ear
    let echoes: Bool

    init(_ ear: Ear, echoes: Bool) { (self.ear, self.echoes) = (ear, echoes) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        ear.hear(String(buffer: bytes))
        if echoes { context.channel.writeAndFlush(bytes, promise: nil) }
    }

    func channelInactive(context: ChannelHandlerContext) { ear.end() }
}

private final class EchoServer: Sendable {
    private let channel: any Channel
    private let ear: Ear
    var port: Int { channel.localAddress?.port ?? 0 }
    var heard: String { ear.text }

    private init(_ channel: any Channel, _ ear: Ear) { (self.channel, self.ear) = (channel, ear) }

    static func start() async throws -> EchoServer {
        let ear = Ear()
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { $0.pipeline.addHandler(EarHandler(ear, echoes: true)) }
            .bind(host: "127.0.0.1", port: 0).get()
        return EchoServer(channel, ear)
    }

    func stop() { channel.close(promise: nil) }
}

private final class Caller: Sendable {
    private let channel: any Channel
    private let ear: Ear
    var heard: String { ear.text }
    var isEnded: Bool { ear.isEnded }

    private init(_ channel: any Channel, _ ear: Ear) { (self.channel, self.ear) = (channel, ear) }

    static func connect(_ port: Int) async throws -> Caller {
        let ear = Ear()
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { $0.pipeline.addHandler(EarHandler(ear, echoes: false)) }
            .connect(host: "127.0.0.1", port: port).get()
        return Caller(channel, ear)
    }

    func send(_ text: String) { channel.writeAndFlush(ByteBuffer(string: text), promise: nil) }
    func received(_ text: String) async throws -> Bool { try await eventually { ear.text == text } }
    func ended() async throws -> Bool { try await eventually { ear.isEnded } }
}
