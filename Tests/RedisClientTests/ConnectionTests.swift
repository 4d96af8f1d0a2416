// A whole connection without a network: the test plays the server on a NIOAsyncTestingChannel, whose time it moves.

import NIOCore
import NIOEmbedded
import Testing
import TopologySupport

@testable import RedisClient

@Suite("A connection", .timeLimit(.minutes(1)))
struct ConnectionTests {
    @Test("The handshake goes first, and what waited for it follows in one write")
    func handshake() async throws {
        let wire = try await Wire { ($0.username, $0.password, $0.database, $0.clientName) = ("u", "p", 2, "n") }
        async let first = wire.ask("ECHO", "first")
        try await wire.activate()
        let greeting = "AUTH u p|SELECT 2|CLIENT SETNAME n|PING"
        #expect(try await wire.written() == greeting)
        #expect(!wire.pipeline.isReady)
        try await wire.answer("+OK\r\n+OK\r\n-NOPERM no client commands\r\n")
        #expect(!wire.pipeline.isReady)
        try await wire.answer("+PONG\r\n")
        #expect(wire.pipeline.isReady)
        try await wire.done.futureResult.get()
        #expect(try await wire.written() == "ECHO first")
        try await wire.answer("$5\r\nfirst\r\n")
        #expect(try await first.get().string == "first")
    }

    @Test("A refused or silent handshake closes the connection and says why", arguments: [true, false])
    func refusedHandshake(isSilent: Bool) async throws {
        let wire = try await Wire { $0.password = "p" }
        try await wire.activate()
        if isSilent {
            await wire.channel.testingEventLoop.advanceTime(by: .seconds(2))
        } else {
            try await wire.answer("-WRONGPASS no\r\n-NOAUTH no\r\n")
        }
        let error = await #expect(throws: RedisError.self) { try await wire.done.futureResult.get() }
        #expect(error?.code == (isSilent ? .timeout : .notConnected))
        #expect(!wire.channel.isActive)
        #expect(!wire.pipeline.isReady)
    }

    @Test("Replies go to callers in the order of their commands, however their bytes are cut")
    func order() async throws {
        let wire = try await Wire.ready()
        async let first = wire.ask("GET", "1")
        #expect(try await wire.written() == "GET 1")
        async let second = wire.ask("GET", "2")
        #expect(try await wire.written() == "GET 2")
        async let third = wire.ask("GET", "3")
        #expect(try await wire.written() == "GET 3")
        for piece in ["$3\r\no", "ne\r", "\n-ERR two\r\n*1\r\n*2\r\n:", "1\r\n$-1\r", "\n"] {
            try await wire.answer(piece)
        }
        #expect(try await first.get() == .bulk(Array("one".utf8)))
        #expect(try await second.get() == .error("ERR two"))
        #expect(try await third.get() == .array([.array([.integer(1), .null])]))
    }

    @Test(
        "A malformed, oversized or unasked-for reply closes the connection; replies before it are served",
        arguments: ["?!\r\n", "*2147483647\r\n", "+OK\r\n+unasked\r\n", String(repeating: "*1\r\n", count: 12)])
    func violation(bytes: String) async throws {
        let wire = try await Wire.ready()
        async let first = wire.ask("GET", "1")
        #expect(try await wire.written() == "GET 1")
        async let second = wire.ask("GET", "2")
        #expect(try await wire.written() == "GET 2")
        try? await wire.answer("+one\r\n" + bytes)
        #expect(try await first.get() == .status("one"))
        if bytes.hasPrefix("+OK") {
            #expect(try await second.get() == .status("OK"))
        } else {
            let error = await wire.error(of: second)
            #expect(error?.code == .connectionClosed)
            #expect((error?.cause as? RedisError)?.code == .protocolViolation)
            #expect(error?.mayHaveExecuted == true)
        }
        #expect(!wire.channel.isActive)
        #expect(wire.pipeline.lastError?.code == .protocolViolation)
    }

    @Test("A deadline that passes frees its caller; the late reply is dropped and the next one finds its caller")
    func lateReply() async throws {
        let wire = try await Wire.ready()
        async let slow = wire.ask("GET", "slow", within: .milliseconds(100))
        #expect(try await wire.written() == "GET slow")
        async let next = wire.ask("GET", "next")
        #expect(try await wire.written() == "GET next")
        await wire.channel.testingEventLoop.advanceTime(by: .milliseconds(101))
        let error = await wire.error(of: slow)
        #expect(error?.code == .timeout)
        #expect(error?.mayHaveExecuted == true)
        #expect(wire.pipeline.statistics.inFlight == 2)
        try await wire.answer("+slow\r\n+next\r\n")
        #expect(try await next.get() == .status("next"))
        #expect(wire.channel.isActive)
    }

    @Test("Overdue and silent for twice the command timeout: the connection is given up")
    func stalled() async throws {
        let wire = try await Wire.ready()
        async let only = wire.ask("GET", "x")
        #expect(try await wire.written() == "GET x")
        await wire.channel.testingEventLoop.advanceTime(by: .milliseconds(1001))
        #expect(await wire.error(of: only)?.code == .timeout)
        #expect(wire.channel.isActive)
        // Half a reply is a sign of life.
        try await wire.answer("$1000\r\nhalf")
        await wire.channel.testingEventLoop.advanceTime(by: .milliseconds(1900))
        #expect(wire.channel.isActive)
        await wire.channel.testingEventLoop.advanceTime(by: .milliseconds(200))
        #expect(!wire.channel.isActive)
        #expect(wire.pipeline.lastError?.code == .timeout)
    }

    @Test("While the socket is full nothing is written; then all that gathered goes at once")
    func backpressure() async throws {
        let wire = try await Wire.ready()
        wire.channel.isWritable = false
        async let first = wire.ask("GET", "1")
        #expect(try await eventually { wire.pipeline.statistics.inFlight == 1 })
        await wire.channel.testingEventLoop.run()
        async let second = wire.ask("GET", "2")
        #expect(try await eventually { wire.pipeline.statistics.inFlight == 2 })
        await wire.channel.testingEventLoop.run()
        #expect(try await wire.channel.readOutbound(as: ByteBuffer.self) == nil)
        #expect(wire.pipeline.statistics.commandsSent == 0)
        wire.channel.isWritable = true
        try await wire.channel.testingEventLoop.executeInContext {
            wire.channel.pipeline.fireChannelWritabilityChanged()
        }
        #expect(try await wire.written() == "GET 1|GET 2")
        try await wire.answer("+1\r\n+2\r\n")
        #expect(try await first.get() == .status("1"))
        #expect(try await second.get() == .status("2"))
    }

    @Test("A subscription confirms all channels before it says so, and passes messages on")
    func subscription() async throws {
        let (stream, output) = AsyncStream.makeStream(of: RedisPush.self)
        let subscription = Subscription(channels: ["a", "b"], heartbeat: .seconds(2), output: output)
        let wire = try await Wire(last: { _ in SubscriptionHandler(subscription: subscription) }) { _ in }
        try await wire.activate()
        #expect(try await wire.written() == "PING")
        try await wire.answer("+PONG\r\n")
        #expect(try await wire.written() == "SUBSCRIBE a b")
        try await wire.answer("*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nx\r\n")
        try await wire.answer("*3\r\n$9\r\nsubscribe\r\n$1\r\nb\r\n:2\r\n")
        var pushes = stream.makeAsyncIterator()
        #expect(await pushes.next() == .message(channel: "a", payload: "x"))
        #expect(await pushes.next() == .subscribed)

        await wire.channel.testingEventLoop.advanceTime(by: .seconds(2))
        #expect(try await wire.written() == "PING")
        try await wire.answer("*2\r\n$4\r\npong\r\n$0\r\n\r\n")
        await wire.channel.testingEventLoop.advanceTime(by: .seconds(2))
        #expect(wire.channel.isActive)
        await wire.channel.testingEventLoop.advanceTime(by: .seconds(2))
        #expect(!wire.channel.isActive)
    }
}

/// A client's connection with the test at its other end.
private struct Wire: Sendable {
    let channel: NIOAsyncTestingChannel
    let pipeline: RequestPipeline
    let done: EventLoopPromise<Void>

    init(
        last: @escaping @Sendable (RequestPipeline) -> any ChannelHandler = { RequestHandler(pipeline: $0) },
        _ configure: @Sendable (inout RedisConfiguration) -> Void
    ) async throws {
        var configuration = RedisConfiguration(endpoint: .unixSocket(path: "/nowhere"))
        configure(&configuration)
        let loop = NIOAsyncTestingEventLoop()
        let pipeline = RequestPipeline(configuration: configuration, eventLoop: loop)
        let done = loop.makePromise(of: Void.self)
        let finished = configuration
        channel = try await NIOAsyncTestingChannel(loop: loop) { channel in
            try channel.pipeline.syncOperations.addHandlers([
                ReplyDecoder(), HandshakeHandler(configuration: finished, done: done), last(pipeline),
            ])
        }
        (self.pipeline, self.done) = (pipeline, done)
    }

    /// A connection whose handshake is over.
    static func ready() async throws -> Wire {
        let wire = try await Wire { _ in }
        try await wire.activate()
        _ = try await wire.written()
        try await wire.answer("+PONG\r\n")
        return wire
    }

    func activate() async throws {
        try await channel.connect(to: SocketAddress(unixDomainSocketPath: "/nowhere")).get()
    }

    func answer(_ bytes: String) async throws {
        try await channel.writeInbound(ByteBuffer(string: bytes))
    }

    func ask(_ words: String..., within timeout: TimeAmount = .seconds(1)) async -> Result<RESPValue, RedisError> {
        do throws(RedisError) {
            let command = try CommandEncoder.encode(words)
            return await pipeline.exchange(command, deadline: channel.testingEventLoop.now + timeout)
        } catch {
            return .failure(error)
        }
    }

    func error(of outcome: Result<RESPValue, RedisError>) async -> RedisError? {
        await failure { () throws(RedisError) in try outcome.get() }
    }

    /// The next write, as commands separated by "|".
    func written() async throws -> String {
        var bytes = try await channel.waitForOutboundWrite(as: ByteBuffer.self)
        var commands: [RESPValue] = []
        let text = bytes.readBytes(length: bytes.readableBytes) ?? []
        try text.withUnsafeBytes { try ReplyReader().feed($0, into: &commands) }
        return commands.map { ($0.array ?? []).map { $0.string ?? "?" }.joined(separator: " ") }.joined(separator: "|")
    }
}
