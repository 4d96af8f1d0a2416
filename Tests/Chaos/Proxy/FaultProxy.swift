// A TCP link that can fail: it stands between a gateway and its Redis, on loopback. What a network loses, TCP sends again
// later, so a one-way failure holds bytes back until the link is healed; a cut resets connections and refuses new ones.

import NIOCore
import NIOPosix
import Synchronization

/// One link, from a port of its own to a server. Starts without a fault.
package final class FaultProxy: Sendable {
    package enum Direction: Sendable, Hashable, CaseIterable {
        case toServer, toClient
    }

    private struct State {
        var isCut = false
        var held: Set<Direction> = []
        var delay = Duration.zero
        var open: [Int: [any Channel]] = [:]
        var number = 0
    }

    typealias Connection = NIOAsyncChannel<ByteBuffer, ByteBuffer>

    /// Where clients of the link connect, on 127.0.0.1.
    package let port: Int
    private let serverPort: Int
    private let listener: NIOAsyncChannel<Connection, Never>
    private let state = Mutex(State())
    private let task = Mutex<Task<Void, Never>?>(nil)

    /// Listens at a free port.
    package static func start(to serverPort: Int) async throws -> FaultProxy {
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .bind(host: "127.0.0.1", port: 0) { channel in
                channel.eventLoop.makeCompletedFuture { try Connection(wrappingChannelSynchronously: channel) }
            }
        let proxy = FaultProxy(listener, serverPort: serverPort)
        proxy.task.withLock { $0 = Task { await proxy.accept() } }
        return proxy
    }

    private init(_ listener: NIOAsyncChannel<Connection, Never>, serverPort: Int) {
        self.listener = listener
        self.serverPort = serverPort
        port = listener.channel.localAddress?.port ?? 0
    }

    /// Resets every connection, and each new one, until ``heal()``.
    package func cut() {
        let open = state.withLock { state in
            state.isCut = true
            return state.open.values.flatMap { $0 }
        }
        for channel in open { channel.close(promise: nil) }
    }

    /// Lets nothing through in these directions, neither bytes nor ends, until ``heal()``.
    package func hold(_ directions: Set<Direction>) { state.withLock { $0.held = directions } }

    /// Each byte takes this much longer, in each direction, until ``heal()``.
    package func delay(_ time: Duration) { state.withLock { $0.delay = time } }

    /// No fault any more. What was held back arrives now.
    package func heal() {
        state.withLock { state in
            state.isCut = false
            state.held = []
            state.delay = .zero
        }
    }

    package func stop() {
        cut()
        heal()
        listener.channel.close(promise: nil)
        task.withLock { $0?.cancel() }
    }

    // MARK: Connections

    private func accept() async {
        try? await listener.executeThenClose { inbound in
            try await withThrowingDiscardingTaskGroup { group in
                for try await client in inbound { group.addTask { await self.serve(client) } }
            }
        }
    }

    private func serve(_ client: Connection) async {
        let number = register(client.channel)
        defer { state.withLock { $0.open[number] = nil } }
        let server = try? await ClientBootstrap(group: client.channel.eventLoop)
            .connect(host: "127.0.0.1", port: serverPort) { channel in
                channel.eventLoop.makeCompletedFuture { try Connection(wrappingChannelSynchronously: channel) }
            }
        guard let server, add(server.channel, to: number) else {
            server?.channel.close(promise: nil)
            try? await client.executeThenClose { _, _ in }
            return
        }
        try? await client.executeThenClose { fromClient, toClient in
            try await server.executeThenClose { fromServer, toServer in
                await withTaskGroup { group in
                    group.addTask { await self.pump(fromClient, toServer, .toServer) }
                    group.addTask { await self.pump(fromServer, toClient, .toClient) }
                    // One side's end is the end of both.
                    await group.next()
                    group.cancelAll()
                }
            }
        }
    }

    private func register(_ channel: any Channel) -> Int {
        state.withLock { state in
            state.number += 1
            state.open[state.number] = [channel]
            return state.number
        }
    }

    /// - Returns: false when the link is cut.
    private func add(_ channel: any Channel, to number: Int) -> Bool {
        state.withLock { state in
            state.open[number]?.append(channel)
            return !state.isCut
        }
    }

    // MARK: Bytes

    /// Reads at once, so that the time of arrival is known, and writes when it is due.
    private func pump(
        _ inbound: NIOAsyncChannelInboundStream<ByteBuffer>, _ outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>,
        _ direction: Direction
    ) async {
        let (chunks, end) = AsyncStream.makeStream(of: (due: ContinuousClock.Instant, bytes: ByteBuffer).self)
        await withTaskGroup { group in
            group.addTask {
                do {
                    for try await bytes in inbound {
                        end.yield((.now + self.state.withLock { $0.delay }, bytes))
                    }
                } catch {}
                end.finish()
            }
            group.addTask {
                do {
                    for await chunk in chunks {
                        if chunk.due > .now { try await Task.sleep(until: chunk.due) }
                        try await self.waitWhileHeld(direction)
                        try await outbound.write(chunk.bytes)
                    }
                    try await self.waitWhileHeld(direction)
                } catch {}
            }
            await group.waitForAll()
        }
    }

    private func waitWhileHeld(_ direction: Direction) async throws {
        while state.withLock({ $0.held.contains(direction) }) { try await Task.sleep(for: .milliseconds(2)) }
    }
}
