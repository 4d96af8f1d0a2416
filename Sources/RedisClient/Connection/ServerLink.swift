// One pipeline of requests and the loop that keeps a connection under it, for as long as its server is of use.

import Logging
import NIOCore
import ServiceLifecycle
import Synchronization

/// The way to one primary. Who makes it hands it to a task that calls ``run()``.
final class ServerLink: Sendable {
    /// Opens a connection to the right server; the handler is that of the link's pipeline.
    typealias Connect =
        @Sendable (@escaping @Sendable () -> any ChannelHandler) async throws(RedisError) -> (
            channel: any Channel, server: RedisConfiguration.Endpoint
        )

    let pipeline: RequestPipeline
    private let configuration: RedisConfiguration
    private let logger: Logger
    private let connect: Connect
    private let onLoss: @Sendable () -> Void
    private let lastServer = Mutex<RedisConfiguration.Endpoint?>(nil)
    private let ended = AsyncStream.makeStream(of: Never.self)

    /// `onLoss` is called when an attempt to connect has failed and when a connection is gone.
    init(
        _ configuration: RedisConfiguration, eventLoop: any EventLoop, logger: Logger,
        onLoss: @escaping @Sendable () -> Void = {}, connect: @escaping Connect
    ) {
        self.configuration = configuration
        self.logger = logger
        self.connect = connect
        self.onLoss = onLoss
        pipeline = RequestPipeline(configuration: configuration, eventLoop: eventLoop)
    }

    /// The server connected to last.
    var server: RedisConfiguration.Endpoint? { lastServer.withLock { $0 } }

    /// Keeps the connection up until the task is cancelled or the link retired.
    func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.keepConnected() }
            group.addTask { for await _ in self.ended.stream {} }
            await group.next()
            group.cancelAll()
        }
    }

    /// The server is not needed any more: what waits fails as not sent, what is in flight may still be answered.
    func retire() {
        pipeline.drain(within: TimeAmount(configuration.commandTimeout))
        ended.continuation.finish()
    }

    private func keepConnected() async {
        let (pipeline, connect, onLoss) = (pipeline, connect, onLoss)
        await withTaskCancellationHandler {
            await reconnecting(configuration, logger: logger) { () throws(RedisError) in
                do throws(RedisError) {
                    let (channel, server) = try await connect { RequestHandler(pipeline: pipeline) }
                    lastServer.withLock { $0 = server }
                    return channel
                } catch {
                    pipeline.connectFailed(error)
                    onLoss()
                    throw error
                }
            } reasonOfLoss: {
                onLoss()
                return pipeline.lastError
            }
        } onCancel: {
            pipeline.drain(within: TimeAmount(configuration.commandTimeout))
        }
    }
}
