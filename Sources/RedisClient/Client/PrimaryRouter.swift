// The router where all data has one primary: a server alone, or the one that Sentinels name.

import Logging
import NIOCore
import Synchronization

final class PrimaryRouter: Router {
    typealias Endpoint = RedisConfiguration.Endpoint

    private struct State {
        /// Made when the first request comes that makes its connection wait.
        var waiting: ServerLink?
        var hasStopped = false
    }

    private let configuration: RedisConfiguration
    private let eventLoop: any EventLoop
    private let logger: Logger
    private let subscriptions: SubscriptionRegistry
    /// nil for a server alone.
    private let sentinels: Sentinels?
    private let state = Mutex(State())
    private let links = AsyncStream.makeStream(of: ServerLink.self)
    private let plain: ServerLink

    init(
        _ configuration: RedisConfiguration, eventLoop: any EventLoop, subscriptions: SubscriptionRegistry,
        logger: Logger
    ) {
        self.configuration = configuration
        self.eventLoop = eventLoop
        self.subscriptions = subscriptions
        self.logger = logger
        var sentinels: Sentinels?
        if case .sentinel(let service) = configuration.topology {
            sentinels = Sentinels(configuration, service: service, eventLoop: eventLoop)
        }
        self.sentinels = sentinels
        plain = Self.link(configuration, eventLoop: eventLoop, logger: logger, sentinels)
        links.continuation.yield(plain)
    }

    private static func link(
        _ configuration: RedisConfiguration, eventLoop: any EventLoop, logger: Logger, _ sentinels: Sentinels?
    ) -> ServerLink {
        ServerLink(configuration, eventLoop: eventLoop, logger: logger) { makeHandler throws(RedisError) in
            if let sentinels { return try await sentinels.connectPrimary(makeHandler) }
            let connector = Connector(configuration: configuration, eventLoop: eventLoop)
            return (try await connector.connect(makeHandler), configuration.endpoint)
        }
    }

    var isConnected: Bool { plain.pipeline.isReady }

    var statistics: RedisStatistics {
        let waiting = state.withLock { $0.waiting?.pipeline.statistics } ?? RedisStatistics()
        return plain.pipeline.statistics + waiting
    }

    func run() async {
        await withTaskCancellationHandler {
            await withDiscardingTaskGroup { group in
                if let sentinels {
                    group.addTask { await sentinels.watch(logger: self.logger) { self.announced($0) } }
                }
                for await link in links.stream { group.addTask { await link.run() } }
                group.cancelAll()
            }
        } onCancel: {
            state.withLock { $0.hasStopped = true }
        }
    }

    func stop() {
        let waiting = state.withLock { state in
            state.hasStopped = true
            return state.waiting
        }
        links.continuation.finish()
        plain.pipeline.stop()
        waiting?.pipeline.stop()
    }

    func send(_ request: RoutedRequest, deadline: NIODeadline) async throws(RedisError) -> [RESPValue] {
        let pipeline = request.waits ? waitingLink().pipeline : plain.pipeline
        // A server alone has nobody else to ask: what it says is the answer.
        guard sentinels != nil else { return try await pipeline.replies(to: request, deadline: deadline).get() }
        return try await RepeatedSending.run(
            deadline: deadline, isOver: { state.withLock { $0.hasStopped } },
            { _ throws(RedisError) in
                let outcome = await pipeline.replies(to: request, deadline: deadline)
                // It was demoted: the next connection leads to the primary of then.
                if case .success(let replies) = outcome, case .error(let text)? = replies.first,
                    text.hasPrefix("READONLY")
                {
                    pipeline.renew()
                }
                return (outcome, nil)
            })
    }

    func sendToAll(
        _ request: RoutedRequest, deadline: NIODeadline
    ) async throws(RedisError) -> [(server: Endpoint, reply: RESPValue)] {
        let replies = try await send(request, deadline: deadline)
        return [(plain.server ?? configuration.endpoint, replies.first ?? .null)]
    }

    func connectSubscription(
        to channels: [String], _ makeHandler: @escaping @Sendable () -> any ChannelHandler
    ) async throws(RedisError) -> (channel: any Channel, server: Endpoint) {
        if let sentinels { return try await sentinels.connectPrimary(makeHandler) }
        let connector = Connector(configuration: configuration, eventLoop: eventLoop)
        return (try await connector.connect(makeHandler), configuration.endpoint)
    }

    private func waitingLink() -> ServerLink {
        let (link, isNew) = state.withLock { state -> (ServerLink, Bool) in
            if let link = state.waiting { return (link, false) }
            let link = Self.link(configuration, eventLoop: eventLoop, logger: logger, sentinels)
            state.waiting = link
            if state.hasStopped { link.pipeline.stop() }
            return (link, true)
        }
        if isNew { links.continuation.yield(link) }
        return link
    }

    /// The Sentinels name this primary; connections to another one are left at once.
    private func announced(_ server: Endpoint) {
        let waiting = state.withLock { $0.waiting }
        let error = RedisError(.connectionClosed, "the primary is now \(server)")
        for link in [plain, waiting] {
            guard let link, let old = link.server, old != server else { continue }
            logger.notice("the primary has changed", metadata: ["primary": "\(server)"])
            link.pipeline.abandon(error)
        }
        subscriptions.leave { $0 != server }
    }
}
