// Several gateway nodes in one process on one private Redis: the real drivers, scripts and server.

import Ledger
import Logging
import QuotaCore
import RedisClient
import ServiceLifecycle
import TestSupport
import Testing

@testable import GatewayNode

/// A fleet of nodes that serve the organisation `default`.
struct Fleet: Sendable {
    static let organisation = "default"
    /// nil when the test has brought servers of its own.
    let redis: RedisServer?
    let client: RedisClient
    let ledger: Ledger
    let nodes: [GatewayNode]
    let groups: [ServiceGroup]

    /// A budget of the fleet's organisation.
    struct Budget {
        var account: String
        var name = "main"
        var unit: BudgetUnit = .tokens
        var amount: Int64
        var steps = "8000:warn,10000:block"
        var policy = #"[{"at":"0.8","do":"warn"},{"at":"1.0","do":"block"}]"#
        var mode = "enforce"
        var abandoned = "charge"
        var outage = "spend_leases:30"

        var generation: String { (account + name).filter { $0.isLetter || $0.isNumber } }
    }

    func node(_ index: Int) async throws -> OrganisationNode { try await nodes[index].organisation(Self.organisation) }

    func books(_ budget: Budget) async throws -> BookFigures {
        let list = try await ledger.books(generation: budget.generation, organisation: Self.organisation)
        return try #require(list.first)
    }

    /// Waits until the books satisfy a condition, at most ten seconds.
    func eventually(_ budget: Budget, _ condition: (BookFigures) -> Bool) async throws -> BookFigures {
        var last = try await books(budget)
        for _ in 0..<200 where !condition(last) {
            try await Task.sleep(for: .milliseconds(50))
            last = try await books(budget)
        }
        return last
    }

    func put(_ budget: Budget, change: Change = Change(actor: "test")) async throws {
        let now = try await ledger.organisation(Self.organisation).now / 1000
        let rule = try PeriodRule(every: .month, timezone: "UTC")
        let periods = rule.upcoming(from: now, count: 14).map { "\($0.start):\($0.end):\($0.id)" }.joined(
            separator: ",")
        _ = try await ledger.putBudget(
            account: budget.account, name: budget.name,
            fields: [
                ("record", #"{"policy":\#(budget.policy)}"#), ("generation", budget.generation),
                ("unit", budget.unit.rawValue), ("amount", String(budget.amount)), ("mode", budget.mode),
                ("steps", budget.steps), ("every", "month"), ("periods", periods), ("abandoned", budget.abandoned),
                ("outage", budget.outage),
            ], change: change, organisation: Self.organisation)
    }
}

/// Runs `body` with a fleet of nodes and stops everything afterwards. The books are at `url`, or in a Redis of the fleet's.
func withFleet(
    on url: String? = nil, durability: String = "relaxed", nodes count: Int = 1,
    accounts: [(id: String, parent: String)] = [("search", "default")],
    budgets: [Fleet.Budget], prices: String? = nil, timing: SessionTiming = SessionTiming(),
    relay: @Sendable (Int) -> any CommitRelay = { _ in NoRelay() }, _ body: (Fleet) async throws -> Void
) async throws {
    let redis = url == nil ? try await RedisServer.start() : nil
    var logger = Logger(label: "test")
    logger.logLevel = .error
    let quiet = logger
    func client() throws -> RedisClient {
        var configuration = try RedisConfiguration(url: url ?? redis?.url ?? "")
        // A busy machine is no outage: these tests wait longer than a node in production would.
        configuration.connectTimeout = .seconds(10)
        configuration.commandTimeout = .seconds(10)
        return RedisClient(configuration: configuration, logger: quiet)
    }
    let admin = try client()
    let ledger = Ledger(redis: admin)
    do {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await admin.run() }
            _ = try await ledger.createOrganisation(
                OrganisationSettings(name: "Default", timezone: "UTC", durability: durability, unpriced: "deny"),
                timeToLive: timing.timeToLive, secrets: #"[{"id":"1","key":"a test's secret of enough length"}]"#,
                rootRecord: #"{"name":"Default"}"#, change: Change(actor: "test"), organisation: Fleet.organisation)
            for account in accounts {
                _ = try await ledger.putAccount(
                    account.id, parent: account.parent, record: #"{"name":"\#(account.id)"}"#,
                    change: Change(actor: "test"), organisation: Fleet.organisation)
            }
            if let prices {
                _ = try await ledger.putPrices(prices, change: Change(actor: "test"), organisation: Fleet.organisation)
            }
            var nodes: [GatewayNode] = []
            var groups: [ServiceGroup] = []
            for index in 0..<count {
                var configuration = GatewayNodeConfiguration(nodeID: "n\(index)", advertise: "node-\(index)")
                configuration.timing = timing
                let own = try client()
                let node = GatewayNode(configuration: configuration, redis: own, relay: relay(index), logger: quiet)
                let services = ServiceGroup(services: [own, node], logger: quiet)
                nodes.append(node)
                groups.append(services)
                group.addTask { try await services.run() }
            }
            let fleet = Fleet(redis: redis, client: admin, ledger: ledger, nodes: nodes, groups: groups)
            for budget in budgets { try await fleet.put(budget) }
            let outcome: Result<Void, any Error>
            do { outcome = .success(try await body(fleet)) } catch { outcome = .failure(error) }
            for services in groups { await services.triggerGracefulShutdown() }
            for _ in 0..<count { try await group.next() }
            group.cancelAll()
            try outcome.get()
        }
    } catch {
        await redis?.stop()
        throw error
    }
    await redis?.stop()
}

extension ReservationOutcome {
    var admission: Admission? { if case .admitted(let admission) = self { admission } else { nil } }
    var refusal: Refusal? { if case .refused(let refusal) = self { refusal } else { nil } }
}

extension OrganisationNode {
    /// Reserves tokens and gives the sealed id, or the refusal.
    func tokens(_ count: Int64, account: String = "search", ttl: Duration = .seconds(600)) async -> Result<
        String, Refusal
    > {
        let outcome = await reserve(
            ReservationRequest(account: account, estimate: Estimate(tokens: count), timeToLive: ttl))
        switch outcome {
        case .admitted(let admission): return .success(admission.token.map { seal($0) } ?? "")
        case .refused(let refusal): return .failure(refusal)
        }
    }
}

extension Refusal: Error {}
