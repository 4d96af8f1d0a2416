// What the rest of the product sees of Redis: commands, scripts and subscriptions on connections that heal by
// themselves. Nothing is ever sent twice: whether a lost command may be repeated only its caller can know.

import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle

/// A client of one Redis server: one connection for commands, one more for every subscription.
///
/// Run it as a service; commands sent before the first connect wait for it until their deadline. Commands leave in
/// the order in which ``send(_:timeout:)`` was entered, and one flush per turn of the event loop carries all that have
/// gathered. Don't send commands that change the connection's mode (SUBSCRIBE, MONITOR, HELLO, CLIENT REPLY).
package final class RedisClient: Service, Sendable {
    package let configuration: RedisConfiguration
    private let logger: Logger
    private let eventLoop: any EventLoop
    private let pipeline: RequestPipeline
    private let subscriptions = SubscriptionRegistry()

    package init(
        configuration: RedisConfiguration, logger: Logger,
        eventLoopGroup: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
    ) {
        self.configuration = configuration
        var logger = logger
        logger[metadataKey: "redis"] = "\(configuration)"
        self.logger = logger
        eventLoop = eventLoopGroup.next()
        pipeline = RequestPipeline(configuration: configuration, eventLoop: eventLoop)
    }

    /// Whether commands are sent at once.
    package var isConnected: Bool { pipeline.isReady }

    package var statistics: RedisStatistics { pipeline.statistics }

    /// Keeps the connections up until graceful shutdown or cancellation. Then new commands are refused, those in flight
    /// may still be answered within the command timeout, and everything is closed. A client runs once.
    ///
    /// Throws ``RedisError/Code/configuration`` at once when the TLS settings can't be used.
    package func run() async throws {
        let connector = Connector(configuration: configuration, eventLoop: eventLoop)
        defer {
            pipeline.stop()
            subscriptions.stop()
        }
        _ = try connector.tlsContext()
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                group.addTask { await self.keepConnected(connector) }
                for await subscription in self.subscriptions.requests {
                    group.addTask { await subscription.run(connector, logger: self.logger) }
                }
                group.cancelAll()
            }
        }
    }

    /// Sends one command and waits for its reply, at most `timeout` (default: the configuration's command timeout).
    ///
    /// Throws ``RedisError``: `server` for an error reply; `timeout`, `connectionClosed` and `cancelled` with
    /// ``RedisError/mayHaveExecuted`` when the outcome is unknown; `notConnected` and `queueFull` when nothing was sent.
    package func send(_ arguments: [String], timeout: Duration? = nil) async throws(RedisError) -> RESPValue {
        try await send(arguments, deadline: deadline(timeout))
    }

    /// Runs a script by its hash and, when the server doesn't know it, by its source, which teaches it to the server.
    ///
    /// An error that the script returns as its whole reply is thrown; errors nested in a reply are values. `timeout`
    /// bounds both attempts together. Throws as ``send(_:timeout:)``.
    package func eval(_ script: RedisScript, keys: [String], arguments: [String], timeout: Duration? = nil)
        async throws(RedisError) -> RESPValue
    {
        let deadline = deadline(timeout)
        let operands = [String(keys.count)] + keys + arguments
        do throws(RedisError) {
            return try await send(["EVALSHA", script.sha1] + operands, deadline: deadline)
        } catch {
            guard error.serverCode == "NOSCRIPT" else { throw error }
            return try await send(["EVAL", script.source] + operands, deadline: deadline)
        }
    }

    /// Messages on these channels, over a connection of their own that reconnects by itself.
    ///
    /// Ends when the stream is dropped or the client stops. What was published while there was no connection, or while
    /// the reader was too slow, is lost: ``RedisPush/subscribed`` says when to look for what was missed.
    package func subscribe(_ channels: [String]) -> AsyncStream<RedisPush> {
        precondition(!channels.isEmpty, "a subscription has at least one channel")
        return subscriptions.make(channels, configuration: configuration)
    }

    private func deadline(_ timeout: Duration?) -> NIODeadline {
        // Bounded, so that no sum of times can overflow.
        eventLoop.now + TimeAmount(min(timeout ?? configuration.commandTimeout, .seconds(86_400)))
    }

    private func send(_ arguments: [String], deadline: NIODeadline) async throws(RedisError) -> RESPValue {
        let command = try CommandEncoder.encode(arguments)
        let reply = try await pipeline.exchange(command, deadline: deadline).get()
        if case .error(let text) = reply { throw RedisError(.server, text) }
        return reply
    }

    private func keepConnected(_ connector: Connector) async {
        let (pipeline, configuration) = (pipeline, configuration)
        await withTaskCancellationHandler {
            await reconnecting(configuration, logger: logger) { () throws(RedisError) in
                do throws(RedisError) {
                    return try await connector.connect { RequestHandler(pipeline: pipeline) }
                } catch {
                    pipeline.connectFailed(error)
                    throw error
                }
            } reasonOfLoss: {
                pipeline.lastError
            }
        } onCancel: {
            pipeline.drain(within: TimeAmount(configuration.commandTimeout))
        }
    }
}
