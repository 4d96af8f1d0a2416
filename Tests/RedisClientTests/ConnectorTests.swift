// Opening a connection to a host by name, and the client as one service of a group.

import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Testing
import TopologySupport

@testable import RedisClient

@Suite("Connecting", .timeLimit(.minutes(1)))
struct ConnectorTests {
    @Test("A host with several addresses is reached over the one that answers")
    func severalAddresses() async throws {
        let server = try startedServer(["--bind", "127.0.0.1", "--port", "{port}"])
        try await withClient(server.url) { client async throws in _ = try await client.send(["PING"]) }
        let connector = Connector(
            configuration: try RedisConfiguration(url: "redis://redis.test:\(server.port)/1?connect_timeout_ms=5000"),
            eventLoop: MultiThreadedEventLoopGroup.singleton.next(), resolver: TwoAddresses(port: server.port))
        let channel = try await connector.connect { Ignore() }
        #expect(channel.isActive)
        #expect(channel.remoteAddress?.ipAddress == "127.0.0.1")
        try await channel.close()
    }

    @Test("When no address answers, the error says so")
    func noAddress() async throws {
        let server = try LoopbackServer()
        let connector = Connector(
            configuration: try RedisConfiguration(url: "redis://redis.test:\(server.port)"),
            eventLoop: MultiThreadedEventLoopGroup.singleton.next(), resolver: TwoAddresses(port: server.port))
        let error = await failure { () throws(RedisError) in try await connector.connect { Ignore() } }
        #expect(error?.code == .notConnected)
        #expect(error?.message == "can't connect to redis://redis.test:\(server.port)/0")
    }

    @Test("As a service it ends on graceful shutdown, after the reply that is still due")
    func gracefulShutdown() async throws {
        let server = try startedServer()
        var configuration = try RedisConfiguration(url: server.url)
        configuration.commandTimeout = .seconds(10)
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let client = RedisClient(configuration: configuration, logger: logger)
        let group = ServiceGroup(services: [client], logger: logger)
        async let running: Void = group.run()
        let stream = client.subscribe(["a"])
        _ = try await client.send(["PING"])
        async let last = client.send(["DEBUG", "SLEEP", "0.2"])
        #expect(try await eventually { client.statistics.inFlight == 1 })
        await group.triggerGracefulShutdown()
        #expect(try await last == .status("OK"))
        try await running
        for await push in stream { #expect(push == .subscribed) }
        #expect(!client.isConnected)
    }
}

/// Says that every host is at 127.0.0.2, where nobody listens, and at 127.0.0.1.
private struct TwoAddresses: Resolver, Sendable {
    let port: Int
    private let eventLoop = MultiThreadedEventLoopGroup.singleton.next()

    init(port: Int) {
        self.port = port
    }

    func initiateAQuery(host: String, port: Int) -> EventLoopFuture<[SocketAddress]> {
        answer(["127.0.0.2", "127.0.0.1"])
    }

    func initiateAAAAQuery(host: String, port: Int) -> EventLoopFuture<[SocketAddress]> { answer([]) }

    func cancelQueries() {}

    private func answer(_ addresses: [String]) -> EventLoopFuture<[SocketAddress]> {
        eventLoop.submit { [port] in try addresses.map { try SocketAddress(ipAddress: $0, port: port) } }
    }
}

private final class Ignore: ChannelInboundHandler {
    typealias InboundIn = [RESPValue]

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {}
}
