// The router of a Redis Cluster: a link to each primary, requests by slot, redirections, and a map of the slots that is
// asked for anew whenever something shows that it may be wrong.

import Logging
import NIOCore
import Synchronization

final class ClusterRouter: Router {
    typealias Endpoint = RedisConfiguration.Endpoint

    private struct LinkKey: Hashable {
        let server: Endpoint
        let waits: Bool
    }

    private struct State {
        var table = SlotTable()
        var links: [LinkKey: ServerLink] = [:]
        /// Of links that are retired.
        var pastStatistics = RedisStatistics()
        var redirects: UInt64 = 0
        var hasStopped = false
    }

    /// Between two looks at the map when all is well ...
    private static let idleInterval = TimeAmount.seconds(5)
    /// ... while a primary is out of reach ...
    private static let brokenInterval = TimeAmount.milliseconds(250)
    /// ... and never sooner.
    private static let leastInterval = Duration.milliseconds(50)

    private let configuration: RedisConfiguration
    private let eventLoopGroup: any EventLoopGroup
    private let eventLoop: any EventLoop
    private let subscriptions: SubscriptionRegistry
    private let logger: Logger
    private let state = Mutex(State())
    private let newLinks = AsyncStream.makeStream(of: ServerLink.self)
    private let doubts = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))

    init(
        _ configuration: RedisConfiguration, eventLoopGroup: any EventLoopGroup, subscriptions: SubscriptionRegistry,
        logger: Logger
    ) {
        self.configuration = configuration
        self.eventLoopGroup = eventLoopGroup
        eventLoop = eventLoopGroup.next()
        self.subscriptions = subscriptions
        self.logger = logger
    }

    var isConnected: Bool { state.withLock { state in state.links.values.contains { $0.pipeline.isReady } } }

    var statistics: RedisStatistics {
        state.withLock { state in
            var sum = state.links.values.map(\.pipeline.statistics).reduce(state.pastStatistics, +)
            sum.redirects = state.redirects
            return sum
        }
    }

    func run() async {
        await withTaskCancellationHandler {
            await withDiscardingTaskGroup { group in
                group.addTask { await self.keepMap() }
                for await link in newLinks.stream { group.addTask { await link.run() } }
                group.cancelAll()
            }
        } onCancel: {
            state.withLock { $0.hasStopped = true }
        }
    }

    func stop() {
        let links = state.withLock { state in
            state.hasStopped = true
            return Array(state.links.values)
        }
        newLinks.continuation.finish()
        doubts.continuation.finish()
        for link in links { link.pipeline.stop() }
    }

    // MARK: Requests

    func send(_ request: RoutedRequest, deadline: NIODeadline) async throws(RedisError) -> [RESPValue] {
        try await RepeatedSending.run(
            deadline: deadline, isOver: { state.withLock { $0.hasStopped } },
            { place throws(RedisError) in
                switch place {
                case .owner: break
                case .moved(let slot, let server):
                    state.withLock { state in
                        state.table.assign(slot, to: server)
                        state.redirects += 1
                    }
                    doubts.continuation.yield()
                case .asking(let server):
                    state.withLock { $0.redirects += 1 }
                    let outcome = await link(to: server, waits: request.waits).pipeline
                        .replies(to: try request.asking(), deadline: deadline)
                    return (outcome.map { Array($0.dropFirst()) }, server)
                }
                guard let server = owner(of: request.slot) else {
                    doubts.continuation.yield()
                    return (.failure(RedisError(.notConnected, "no primary has the slot")), nil)
                }
                return (await ask(server, request, deadline: deadline), server)
            })
    }

    func sendToAll(
        _ request: RoutedRequest, deadline: NIODeadline
    ) async throws(RedisError) -> [(server: Endpoint, reply: RESPValue)] {
        // Waits until the map is known.
        _ = try await send(RoutedRequest([["PING"]], slot: nil), deadline: deadline)
        var answers: [(server: Endpoint, reply: RESPValue)] = []
        for server in state.withLock({ $0.table.primaries }) {
            let replies = try await ask(server, request, deadline: deadline).get()
            answers.append((server, replies.first ?? .null))
        }
        return answers
    }

    private func ask(
        _ server: Endpoint, _ request: RoutedRequest, deadline: NIODeadline
    ) async -> Result<[RESPValue], RedisError> {
        let outcome = await link(to: server, waits: request.waits).pipeline.replies(to: request, deadline: deadline)
        switch outcome {
        case .failure: doubts.continuation.yield()
        case .success(let replies):
            if case .error(let text)? = replies.first, text.hasPrefix("CLUSTERDOWN") { doubts.continuation.yield() }
        }
        return outcome
    }

    /// The primary of a slot, or any, best one that is connected.
    private func owner(of slot: Int?) -> Endpoint? {
        state.withLock { state in
            if let slot { return state.table.owner(of: slot) }
            let ready = state.table.primaries.filter {
                state.links[LinkKey(server: $0, waits: false)]?.pipeline.isReady ?? false
            }
            return ready.randomElement() ?? state.table.primaries.randomElement()
        }
    }

    private func link(to server: Endpoint, waits: Bool) -> ServerLink {
        let key = LinkKey(server: server, waits: waits)
        let (link, isNew) = state.withLock { state -> (ServerLink, Bool) in
            if let link = state.links[key] { return (link, false) }
            let (configuration, eventLoop) = (configuration.at(server), eventLoopGroup.next())
            var logger = logger
            logger[metadataKey: "redis"] = "\(configuration)"
            let link = ServerLink(
                configuration, eventLoop: eventLoop, logger: logger,
                onLoss: { [doubts] in doubts.continuation.yield() },
                connect: { makeHandler throws(RedisError) in
                    let connector = Connector(configuration: configuration, eventLoop: eventLoop)
                    return (try await connector.connect(makeHandler), server)
                })
            state.links[key] = link
            if state.hasStopped { link.pipeline.stop() }
            return (link, true)
        }
        if isNew { newLinks.continuation.yield(link) }
        return link
    }

    // MARK: The map

    private func keepMap() async {
        var lastFailure: String?
        var doubt = doubts.stream.makeAsyncIterator()
        while !Task.isCancelled {
            do throws(RedisError) {
                try await readMap()
                lastFailure = nil
            } catch {
                let failure = "\(error)"
                logger.log(
                    level: failure == lastFailure ? .debug : .warning, "the cluster's slots are not known",
                    metadata: ["reason": "\(failure)"])
                lastFailure = failure
            }
            let isWell = lastFailure == nil && allAreReady
            let next = eventLoop.scheduleTask(in: isWell ? Self.idleInterval : Self.brokenInterval) { [doubts] in
                _ = doubts.continuation.yield()
            }
            try? await Task.sleep(for: Self.leastInterval)
            guard await doubt.next() != nil else { return }
            next.cancel()
        }
    }

    private var allAreReady: Bool {
        state.withLock { state in
            state.table.primaries.allSatisfy {
                state.links[LinkKey(server: $0, waits: false)]?.pipeline.isReady ?? false
            }
        }
    }

    /// Takes the map from the first node that tells one: of those known, in random order, then of those configured.
    private func readMap() async throws(RedisError) {
        var last: RedisError?
        var asked: Set<Endpoint> = []
        let known = state.withLock { $0.table.primaries }.shuffled()
        for server in known + configuration.endpoints where asked.insert(server).inserted {
            do throws(RedisError) {
                let connector = Connector(configuration: configuration.at(server), eventLoop: eventLoop)
                let reply = try await Inquiry.ask(["CLUSTER", "SLOTS"], connector)
                guard let table = SlotTable(reply, from: server) else {
                    throw RedisError(.notConnected, "\(server) knows no slots")
                }
                return adopt(table)
            } catch {
                last = error
            }
        }
        throw RedisError(.notConnected, "no node of the cluster tells its slots", cause: last)
    }

    private func adopt(_ table: SlotTable) {
        let primaries = Set(table.primaries)
        let (retired, changed) = state.withLock { state -> ([ServerLink], Bool) in
            let changed = Set(state.table.primaries) != primaries
            state.table = table
            let gone = state.links.keys.filter { !primaries.contains($0.server) }
            let links = gone.compactMap { state.links.removeValue(forKey: $0) }
            for link in links { state.pastStatistics = state.pastStatistics + link.pipeline.statistics }
            return (links, changed)
        }
        for link in retired { link.retire() }
        for server in table.primaries { _ = link(to: server, waits: false) }
        guard changed else { return }
        let names = table.primaries.map { "\($0)" }.sorted().joined(separator: " ")
        logger.notice("the cluster's primaries", metadata: ["primaries": "\(names)"])
        // They may be dead, or cut off from those who publish.
        subscriptions.leave { !primaries.contains($0) }
    }

    // MARK: Subscriptions

    /// A cluster passes messages on to all its nodes: the owner of the channel's slot is the best to listen to, any
    /// other primary will do.
    func connectSubscription(
        to channels: [String], _ makeHandler: @escaping @Sendable () -> any ChannelHandler
    ) async throws(RedisError) -> (channel: any Channel, server: Endpoint) {
        let (owner, others) = state.withLock { state in
            (channels.first.flatMap { state.table.owner(of: HashSlot.of($0)) }, state.table.primaries.shuffled())
        }
        var last: RedisError?
        var tried: Set<Endpoint> = []
        for server in [owner].compactMap(\.self) + others where tried.insert(server).inserted {
            do throws(RedisError) {
                let connector = Connector(configuration: configuration.at(server), eventLoop: eventLoop)
                return (try await connector.connect(makeHandler), server)
            } catch {
                last = error
            }
        }
        doubts.continuation.yield()
        throw RedisError(.notConnected, "no primary can be listened to", cause: last)
    }
}
