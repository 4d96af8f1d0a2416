// What the rest of the product sees of Redis: commands, scripts and subscriptions on connections that heal by
// themselves, to whatever servers the URL leads. Nothing that may have been executed is sent twice: whether a lost
// command may be repeated only its caller can know.

import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Synchronization

/// A client of the primaries of one Redis: of a server alone, of a service watched by Sentinels, of a cluster.
///
/// One connection a primary for commands, one more for writes that wait for replicas or disks, one for every
/// subscription. Run it as a service; commands sent before the first connect wait for it until their deadline. Commands
/// for one primary leave in the order in which ``send(_:timeout:)`` was entered, and one flush per turn of the event
/// loop carries all that have gathered. In a cluster a command goes where its key is: the first after the number of
/// keys for a script, the second word else; a command without a key goes to any primary. Don't send commands that
/// change the connection's mode (SUBSCRIBE, MONITOR, HELLO, CLIENT REPLY).
package final class RedisClient: Service, Sendable {
    package let configuration: RedisConfiguration
    private let logger: Logger
    private let eventLoop: any EventLoop
    private let router: any Router
    private let subscriptions = SubscriptionRegistry()
    /// Whether the servers are thought to know WAITAOF.
    private let asksForAOF = Atomic(true)

    package init(
        configuration: RedisConfiguration, logger: Logger,
        eventLoopGroup: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
    ) {
        self.configuration = configuration
        var logger = logger
        logger[metadataKey: "redis"] = "\(configuration)"
        self.logger = logger
        eventLoop = eventLoopGroup.next()
        router =
            configuration.topology == .cluster
            ? ClusterRouter(configuration, eventLoopGroup: eventLoopGroup, subscriptions: subscriptions, logger: logger)
            : PrimaryRouter(configuration, eventLoop: eventLoop, subscriptions: subscriptions, logger: logger)
    }

    /// Whether commands are sent at once; in a cluster, whether at least one primary can be sent to.
    package var isConnected: Bool { router.isConnected }

    package var statistics: RedisStatistics { router.statistics }

    /// Keeps the connections up until graceful shutdown or cancellation. Then new commands are refused, those in flight
    /// may still be answered within the command timeout, and everything is closed. A client runs once.
    ///
    /// Throws ``RedisError/Code/configuration`` at once when the TLS settings can't be used.
    package func run() async throws {
        defer {
            router.stop()
            subscriptions.stop()
        }
        _ = try Connector(configuration: configuration, eventLoop: eventLoop).tlsContext()
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                group.addTask { await self.router.run() }
                for await subscription in self.subscriptions.requests {
                    group.addTask {
                        await subscription.run(self.configuration, logger: self.logger) {
                            makeHandler throws(RedisError) in
                            try await self.router.connectSubscription(to: subscription.channels, makeHandler)
                        }
                    }
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
        let request = try RoutedRequest([arguments], slot: slot(of: arguments))
        let replies = try await router.send(request, deadline: deadline(timeout))
        return try Self.reply(replies)
    }

    /// Sends one command to every primary, and waits for all replies; errors that servers answer are values.
    ///
    /// Throws as ``send(_:timeout:)`` when a primary could not be asked.
    package func sendToAll(
        _ arguments: [String], timeout: Duration? = nil
    ) async throws(RedisError) -> [(server: RedisConfiguration.Endpoint, reply: RESPValue)] {
        try await router.sendToAll(RoutedRequest([arguments], slot: nil), deadline: deadline(timeout))
    }

    /// Runs a script by its hash and, when the server doesn't know it, by its source, which teaches it to the server;
    /// then waits until its effects have reached what `durability` says.
    ///
    /// An error that the script returns as its whole reply is thrown; errors nested in a reply are values. `timeout`
    /// bounds all attempts together. Throws as ``send(_:timeout:)``, and `notDurable` when the script was executed but
    /// its effects have not reached in time what they must: the effects stay.
    package func eval(
        _ script: RedisScript, keys: [String], arguments: [String], durability: RedisDurability = .memory,
        timeout: Duration? = nil
    ) async throws(RedisError) -> RESPValue {
        let deadline = deadline(timeout)
        let operands = [String(keys.count)] + keys + arguments
        do throws(RedisError) {
            return try await evaluate(["EVALSHA", script.sha1] + operands, durability, deadline)
        } catch {
            guard error.serverCode == "NOSCRIPT" else { throw error }
            return try await evaluate(["EVAL", script.source] + operands, durability, deadline)
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

    private func slot(of arguments: [String]) -> Int? {
        configuration.topology == .cluster ? HashSlot.of(arguments) : nil
    }

    private func evaluate(
        _ command: [String], _ durability: RedisDurability, _ deadline: NIODeadline
    ) async throws(RedisError) -> RESPValue {
        // A script that is not known yet waits in vain behind its hash: there must be time left for its source.
        let half = Duration(deadline - eventLoop.now) / 2
        let check = DurabilityCheck(
            durability: durability.within(half), asksForAOF: asksForAOF.load(ordering: .relaxed))
        let request = try RoutedRequest(
            [command] + check.commands, slot: slot(of: command), waits: durability != .memory)
        let replies = try await router.send(request, deadline: deadline)
        let reply = try Self.reply(replies)
        let answers = Array(replies.dropFirst())
        if check.learnsOfNoAOF(answers) { asksForAOF.store(false, ordering: .relaxed) }
        if let objection = check.objection(answers) {
            // The next server may know it.
            if !check.asksForAOF { asksForAOF.store(true, ordering: .relaxed) }
            throw RedisError(.notDurable, objection, mayHaveExecuted: true)
        }
        return reply
    }

    private static func reply(_ replies: [RESPValue]) throws(RedisError) -> RESPValue {
        guard let reply = replies.first else { throw RedisError(.protocolViolation, "a request without a reply") }
        if case .error(let text) = reply { throw RedisError(.server, text) }
        return reply
    }
}
