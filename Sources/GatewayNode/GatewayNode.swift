// The node: one process's sessions with the organisations it serves.

import Ledger
import Logging
import QuotaCore
import RedisClient
import ServiceLifecycle
import Synchronization

/// One gateway node. Run it as a service; a graceful shutdown returns every slice of every organisation.
package final class GatewayNode: Service, Sendable {
    private struct State {
        var nodes: [String: OrganisationNode] = [:]
        var attaching: [String: Task<OrganisationNode, any Error>] = [:]
        /// Names that had no record, and until when that is believed (monotonic ms).
        var missing: [String: Int64] = [:]
        var stopping = false
    }
    package let configuration: GatewayNodeConfiguration
    let ledger: Ledger
    private let relay: any CommitRelay
    private let clock: any NodeClock
    let logger: Logger
    /// What the next life is told of this one; nil without.
    let journal: Journal?
    private let state = Mutex(State())
    private let started: AsyncStream<OrganisationNode>
    private let start: AsyncStream<OrganisationNode>.Continuation

    package init(
        configuration: GatewayNodeConfiguration, redis: RedisClient, relay: any CommitRelay, logger: Logger,
        clock: any NodeClock = BootClock(), journal: Journal? = nil
    ) {
        self.configuration = configuration
        self.ledger = Ledger(redis: redis)
        self.relay = relay
        self.logger = logger
        self.clock = clock
        self.journal = journal
        (started, start) = AsyncStream.makeStream(of: OrganisationNode.self)
    }

    /// Runs the loops of every organisation in use until shutdown; then says goodbye to all.
    package func run() async throws {
        if let journal { startJournal(journal) }
        await withGracefulShutdownHandler {
            await withDiscardingTaskGroup { group in
                if let journal { group.addTask { await self.recover(journal) } }
                for await node in started { group.addTask { await node.run() } }
                // Shutting down: the goodbyes end the loops; the time for them is limited.
                let nodes = all
                group.addTask {
                    let until = self.clock.now() + self.configuration.goodbyeTime
                    while !Task.isCancelled, self.clock.now() < until, nodes.contains(where: { !$0.isFinished }) {
                        try? await Task.sleep(for: .milliseconds(20))
                    }
                    for node in nodes where !node.isFinished { node.abort() }
                }
            }
        } onGracefulShutdown: {
            self.beginGoodbye()
        }
        if isStopping, all.allSatisfy(\.hasEnded) { journal?.end() }
    }

    var isStopping: Bool { state.withLock { $0.stopping } }

    private func beginGoodbye() {
        let nodes = state.withLock { state -> [OrganisationNode] in
            state.stopping = true
            return Array(state.nodes.values)
        }
        for node in nodes { node.beginGoodbye() }
        start.finish()
    }

    var redisStatistics: RedisStatistics { ledger.redis.statistics }

    package var all: [OrganisationNode] { state.withLock { Array($0.nodes.values) } }

    /// Whether anything can be decided: no organisation is served yet and Redis answers, or one of them can decide.
    package var canDecide: Bool {
        let nodes = all
        return nodes.isEmpty ? ledger.redis.isConnected : nodes.contains { $0.canDecide }
    }

    /// The organisation, attached on first use.
    ///
    /// - Throws: `.noOrganisation`, `.unavailable`.
    package func organisation(_ id: String) async throws(LedgerError) -> OrganisationNode {
        let task: Task<OrganisationNode, any Error>
        switch state.withLock({ find(id, &$0) }) {
        case .success(.left(let node)): return node
        case .success(.right(let running)): task = running
        case .failure(let error): throw error
        }
        do {
            return try await task.value
        } catch let error as LedgerError {
            throw error
        } catch {
            throw LedgerError(.unavailable, "\(error)", cause: error)
        }
    }

    private enum Found {
        case left(OrganisationNode)
        case right(Task<OrganisationNode, any Error>)
    }

    private func find(_ id: String, _ state: inout State) -> Result<Found, LedgerError> {
        if let node = state.nodes[id] { return .success(.left(node)) }
        if let until = state.missing[id], until > clock.now() {
            return .failure(LedgerError(.noOrganisation, "organisation \(id) has no record"))
        }
        guard !state.stopping else { return .failure(LedgerError(.unavailable, "the node is shutting down")) }
        guard state.nodes.count + state.attaching.count < configuration.maximumOrganisations else {
            return .failure(LedgerError(.unavailable, "this node serves as many organisations as it may"))
        }
        if let running = state.attaching[id] { return .success(.right(running)) }
        let task = Task { [self] in try await attach(id) }
        state.attaching[id] = task
        return .success(.right(task))
    }

    private func attach(_ id: String) async throws -> OrganisationNode {
        guard Identifier.isValid(id) else { throw LedgerError(.noOrganisation, "not an organisation's id") }
        do {
            let head = try await OrganisationHead.read(ledger, organisation: id)
            let node = OrganisationNode(
                organisation: id, head: head, ledger: ledger, configuration: configuration, clock: clock, relay: relay,
                logger: logger, journal: journal)
            let stopping = state.withLock { state -> Bool in
                state.attaching[id] = nil
                if !state.stopping { state.nodes[id] = node }
                return state.stopping
            }
            if stopping { throw LedgerError(.unavailable, "the node is shutting down") }
            start.yield(node)
            return node
        } catch {
            state.withLock { state in
                state.attaching[id] = nil
                if (error as? LedgerError)?.code == .noOrganisation {
                    if state.missing.count >= 10_000 { state.missing.removeAll() }
                    state.missing[id] = clock.now() + 1000
                }
            }
            throw error
        }
    }

    /// Who holds a key. Garbage is refused without asking the ledger.
    package func authenticate(_ key: String) async -> Authentication {
        guard let parsed = APIKey(parsing: key) else { return .unknown }
        do {
            let node = try await organisation(parsed.organisation)
            return await node.keys.authenticate(parsed, time: node.nowMilliseconds())
        } catch {
            return error.code == .noOrganisation ? .unknown : .unavailable
        }
    }

    /// Settles what another node relays. Nil: the credential is wrong.
    package func receiveRelay(_ message: RelayMessage, credential: String) async -> SettlementOutcome? {
        guard let node = state.withLock({ $0.nodes[message.organisation] }) else { return .unknown }
        guard node.acceptsRelay(credential) else { return nil }
        return node.receive(message)
    }
}
