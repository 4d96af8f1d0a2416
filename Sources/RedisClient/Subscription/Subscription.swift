// One caller's subscription: its channels, the stream it reads, and the connection that feeds it.

import Logging
import NIOCore
import Synchronization

final class Subscription: Sendable {
    /// Pushes that the reader may lag behind before the oldest are dropped.
    static let bufferedPushes = 1024

    private struct State {
        var hasEnded = false
        var channel: (any Channel)?
        var server: RedisConfiguration.Endpoint?
        var lastError: RedisError?
    }

    let channels: [String]
    /// The longest silence: after it a PING is sent, after another one the connection is given up.
    let heartbeat: Duration
    private let output: AsyncStream<RedisPush>.Continuation
    private let state = Mutex(State())
    private let ended = AsyncStream.makeStream(of: Never.self)

    init(channels: [String], heartbeat: Duration, output: AsyncStream<RedisPush>.Continuation) {
        self.channels = channels
        self.heartbeat = heartbeat
        self.output = output
    }

    /// Keeps the subscription alive until its reader has gone or the task is cancelled.
    func run(
        _ configuration: RedisConfiguration, logger: Logger,
        connect:
            @escaping @Sendable (@escaping @Sendable () -> any ChannelHandler) async throws(RedisError) -> (
                channel: any Channel, server: RedisConfiguration.Endpoint
            )
    ) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                await withTaskCancellationHandler {
                    await reconnecting(configuration, logger: logger) { () throws(RedisError) in
                        let (channel, server) = try await connect { SubscriptionHandler(subscription: self) }
                        self.state.withLock { $0.server = server }
                        return channel
                    } reasonOfLoss: {
                        self.state.withLock { $0.lastError }
                    }
                } onCancel: {
                    self.end()
                }
            }
            group.addTask { for await _ in self.ended.stream {} }
            await group.next()
            group.cancelAll()
        }
    }

    /// The server connected to last.
    var server: RedisConfiguration.Endpoint? { state.withLock { $0.server } }

    /// Closes the connection if it is to such a server; the next one may lead elsewhere.
    func leave(_ isUseless: (RedisConfiguration.Endpoint) -> Bool) {
        let channel = state.withLock { state -> (any Channel)? in
            guard let server = state.server, isUseless(server) else { return nil }
            state.lastError = RedisError(.connectionClosed, "the server was left")
            return state.channel
        }
        channel?.close(promise: nil)
    }

    /// The reader has gone or the client stops: closes the connection for good.
    func end() {
        let channel = state.withLock { state in
            state.hasEnded = true
            defer { state.channel = nil }
            return state.channel
        }
        ended.continuation.finish()
        channel?.close(promise: nil)
    }

    /// Ends the reader's stream; that ends the connection too.
    func finish() { output.finish() }

    // MARK: Called by the connection

    /// False when nobody reads any more: close the connection.
    func opened(_ channel: any Channel) -> Bool {
        state.withLock { state in
            guard !state.hasEnded else { return false }
            state.channel = channel
            state.lastError = nil
            return true
        }
    }

    func failed(_ error: RedisError) {
        state.withLock { $0.lastError = $0.lastError ?? error }
    }

    /// A full buffer drops its oldest push. Then a mark follows: whatever was lost, the reader will see
    /// ``RedisPush/subscribed`` after it.
    func push(_ push: RedisPush) {
        if case .dropped = output.yield(push) { output.yield(.subscribed) }
    }
}
