// Nodes over Redis of many servers: failovers and a moving slot under load, and grants that wait for a replica.

import Ledger
import Logging
import QuotaCore
import RedisClient
import Synchronization
import Testing
import TopologySupport

@testable import GatewayNode

@Suite("Nodes over many servers", .serialized, .timeLimit(.minutes(3)))
struct TopologyTests {
    private static let budget = Fleet.Budget(account: "search", amount: 100_000_000)

    @Test("The primary that Sentinels watch dies under load: every acknowledged commit is in the books once")
    func sentinel() async throws {
        let set = try await SentinelSet.start()
        try await withFleet(on: set.url, nodes: 2, budgets: [Self.budget]) { fleet in
            let load = try await Traffic(fleet, Self.budget)
            try await load.run {
                try await load.commits(more: 200)
                set.primary.kill()
                try await patiently("another primary") {
                    try await set.announcedPort(by: set.sentinels[0]) != set.primary.port
                }
                try await load.fresh(more: 200)
            }
            try await load.check()
        }
    }

    @Test("A slot moves under load, then its primary dies: every acknowledged commit is in the books once")
    func cluster() async throws {
        let cluster = try await TestCluster.start()
        let slot = try await cluster.slot(ofKey: Ledger.prefix(Fleet.organisation))
        let home = cluster.primary(of: slot)
        let (source, target) = (cluster.primaries[home], cluster.primaries[(home + 1) % 3])
        try await withFleet(on: cluster.url, nodes: 2, budgets: [Self.budget]) { fleet in
            let load = try await Traffic(fleet, Self.budget)
            try await load.run {
                try await load.commits(more: 200)
                try await cluster.begin(slot, from: source, to: target)
                try await cluster.moveKeys(slot, from: source, to: target)
                try await cluster.end(slot, at: target)
                try await load.fresh(more: 200)
                #expect(try await ask(source, "KEYS", "bursar:{default}*").array?.isEmpty == true)
                target.kill()
                let heir = cluster.replicas[(home + 1) % 3]
                try await patiently("the replica is primary") {
                    try await ask(heir, "ROLE").array?.first?.string == "master"
                }
                try await load.fresh(more: 200)
            }
            try await load.check()
        }
    }

    @Test("A durable organisation's grants wait for the replica; commits, and who gives up that promise, do not")
    func durable() async throws {
        let primary = try startedPrimary()
        try await patiently("the primary answers") { try await ask(primary, "PING") == .status("PONG") }
        // It outlives the nodes, whose goodbyes are to count.
        var replica: LoopbackServer?
        defer { replica?.kill() }
        try await withFleet(on: primary.url, durability: "replica", budgets: [Self.budget]) { fleet in
            let node = try await fleet.node(0)
            #expect(await node.tokens(100).refusalCode == .ledgerUnavailable)
            replica = try await startedReplica(of: primary)
            var first: String?
            try await patiently("the replica makes grants count") {
                first = try? await node.tokens(100).get()
                return first != nil
            }
            let id = try #require(first)
            replica?.freeze()
            // The owner charges in memory, as long as its session lasts.
            let charged = await node.commit(id, .amounts(tokens: 40, usd: nil, requests: nil))
            guard case .committed = charged else { throw Unexpected(description: "\(charged)") }
            #expect(await node.tokens(1_000_000).refusalCode == .ledgerUnavailable)
            replica?.thaw()
            try await patiently("grants count again") { (try? await node.tokens(1_000_000).get()) != nil }
            // Who gives up the promise is served without the replica.
            replica?.freeze()
            let relaxed = OrganisationSettings(name: "Default", durability: "relaxed")
            _ = try await fleet.ledger.updateOrganisation(
                relaxed, change: Change(actor: "test"), organisation: Fleet.organisation)
            try await patiently("grants count at once") { (try? await node.tokens(2_000_000).get()) != nil }
        }
    }
}

private struct Unexpected: Error, CustomStringConvertible {
    let description: String
}

/// Clients that reserve and commit at two nodes all the time, one commit in eight at the node that did not reserve.
private final class Traffic: Sendable {
    private struct Counts {
        var isOver = false
        var commits = 0
        var tokens: Int64 = 0
        var unexpected: [String] = []
    }

    private let fleet: Fleet
    private let budget: Fleet.Budget
    private let nodes: [OrganisationNode]
    private let counts = Mutex(Counts())

    init(_ fleet: Fleet, _ budget: Fleet.Budget) async throws {
        self.fleet = fleet
        self.budget = budget
        var nodes: [OrganisationNode] = []
        for index in fleet.nodes.indices { nodes.append(try await fleet.node(index)) }
        self.nodes = nodes
    }

    func run(_ body: () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for worker in 0..<8 { group.addTask { await self.work(worker) } }
            defer { counts.withLock { $0.isOver = true } }
            try await body()
            counts.withLock { $0.isOver = true }
            try await group.waitForAll()
        }
    }

    /// Waits for so many more commits.
    func commits(more: Int) async throws {
        let goal = counts.withLock { $0.commits } + more
        try await patiently("\(more) more commits") { self.counts.withLock { $0.commits >= goal } }
    }

    /// Waits until the books have grown, and for so many commits after that.
    func fresh(more: Int) async throws {
        let before = try await fleet.books(budget).committed
        try await patiently("new grants") { try await fleet.books(budget).committed > before }
        try await commits(more: more)
    }

    /// At rest the books hold what was acknowledged, and nothing else.
    func check() async throws {
        let (tokens, unexpected) = counts.withLock { ($0.tokens, $0.unexpected) }
        #expect(unexpected == [])
        let books = try await fleet.eventually(budget) { $0.spent == tokens && $0.leased == 0 && $0.inDoubt == 0 }
        #expect(books.spent == tokens)
        #expect(books.leased == 0)
        #expect(books.inDoubt == 0)
        #expect(books.violations == [])
    }

    private func work(_ worker: Int) async {
        var round = 0
        while !counts.withLock({ $0.isOver }) {
            round += 1
            let node = nodes[worker % nodes.count]
            switch await node.tokens(500) {
            case .success(let id):
                let settler = round % 8 == 0 ? nodes[(worker + 1) % nodes.count] : node
                await commit(id, 300, at: settler)
            case .failure(let refusal):
                if refusal.code != .ledgerUnavailable && refusal.code != .ledgerRecovering { note("\(refusal)") }
                try? await Task.sleep(for: .milliseconds(20))
            }
            try? await Task.sleep(for: .milliseconds(2))
        }
    }

    /// As clients do: again until it is acknowledged.
    private func commit(_ id: String, _ tokens: Int64, at node: OrganisationNode) async {
        while true {
            switch await node.commit(id, .amounts(tokens: tokens, usd: nil, requests: nil)) {
            case .committed:
                return counts.withLock { counts in
                    counts.commits += 1
                    counts.tokens += tokens
                }
            case .pending: try? await Task.sleep(for: .milliseconds(50))
            case let other: return note("\(other)")
            }
        }
    }

    private func note(_ text: String) { counts.withLock { $0.unexpected.append(text) } }
}

extension Result<String, Refusal> {
    fileprivate var refusalCode: Refusal.Code? {
        if case .failure(let refusal) = self { refusal.code } else { nil }
    }
}
