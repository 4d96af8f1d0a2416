// One simulated run from one seed: workload, faults, checks after every step and at the end.

import Ledger
import Logging
import QuotaCore
import RedisClient
import TestSupport

/// The accounts and budgets of a run: a root with two departments, sometimes with teams and users below them.
struct Setup {
    struct Budget {
        var account: String
        var generation: String
        var amount: Int64
        var every: String
        /// Seconds; those of a calendar budget, and as many of one by the minute as a run may touch.
        var periods: [Period]
        var abandonedCharges: Bool

        /// The period at a time in ms.
        func period(at time: Int64) -> Period? { periods.first { $0.start * 1000 <= time && time < $0.end * 1000 } }
    }
    struct Period {
        var start: Int64
        var end: Int64
    }
    /// Parents come before their children.
    var accounts: [(id: String, parent: String?)]
    var budgets: [Budget]

    /// The account, its parent and so on up to the root.
    func ancestors(_ account: String) -> [String] {
        var path = [account]
        while let parent = accounts.first(where: { $0.id == path[path.count - 1] })?.parent { path.append(parent) }
        return path
    }
    func path(_ account: String) -> [Budget] {
        ancestors(account).flatMap { id in budgets.filter { $0.account == id } }
    }
}

/// The result of a run.
struct RunReport {
    var seed: UInt64
    var violation: String?
    var trace: [String]
    var statistics: [String: Int]
    var steps: Int
}

enum Run {
    static let workTime: Int64 = 12_000
    /// How long a reservation is held, ms.
    static let expiry: Int64 = 4000

    /// Runs one seed on a Redis that is flushed first.
    static func seed(
        _ seed: UInt64, faults: Faults, nodes: ClosedRange<Int64> = 3...5, redis: RedisClient
    ) async throws -> RunReport {
        _ = try await redis.send(["FLUSHALL"])
        let world = World(ledger: Ledger(redis: redis), redis: redis, seed: seed, faults: faults, nodes: nodes)
        let setup = try await prepare(world)
        var violation: String?
        do {
            try await work(world, setup)
            try await settleDown(world, setup)
            if faults.contains(.period) { try await world.closePeriods(setup) }
            try await world.finalCheck(setup)
        } catch let error as Violation {
            violation = error.description
        } catch let error as LedgerError {
            violation = "ledger: \(error)"
        }
        return RunReport(
            seed: seed, violation: violation, trace: world.trace, statistics: world.statistics, steps: world.steps)
    }

    private static func prepare(_ world: World) async throws -> Setup {
        let books = world.books
        let change = { Change(id: world.fresh("c"), actor: "simulation") }
        _ = try await books.createOrganisation(
            OrganisationSettings(name: "Default", timezone: "UTC", durability: "relaxed", unpriced: "deny"),
            timeToLive: 3000, secrets: "[]", rootRecord: #"{"name":"Default"}"#, change: change(),
            organisation: World.organisation)
        let accounts = tree(world)
        for account in accounts {
            guard let parent = account.parent else { continue }
            _ = try await books.putAccount(
                account.id, parent: parent, record: "{}", change: change(), organisation: World.organisation)
        }
        let amounts: [String: Int64] = ["default": 260, "d1": 160, "d2": 160, "t1": 110, "u1": 60]
        let rule = world.random.chance(0.7)
        let start = World.start / 1000
        let budgets = accounts.compactMap { account in amounts[account.id].map { (account.id, $0 * world.scale) } }
        let setup = Setup(
            accounts: accounts,
            budgets: budgets.map { (account: String, amount: Int64) in
                let minutes = world.faults.contains(.period) && world.random.chance(0.5)
                // The first minute ends in the midst of the work.
                let cuts =
                    minutes
                    ? (0...3).map { start + $0 * 60 }
                    : world.faults.contains(.period)
                        ? [start, start + 60, start + 31 * 86_400] : [start, start + 31 * 86_400]
                return Setup.Budget(
                    account: account, generation: "g" + account, amount: amount, every: minutes ? "minute" : "month",
                    periods: zip(cuts, cuts.dropFirst()).map { Setup.Period(start: $0, end: $1) },
                    abandonedCharges: rule)
            })
        if world.faults.contains(.period) {
            world.begin(at: World.start + 60_000 - world.random.integer(3_000...9_000))
        }
        for budget in setup.budgets { try await put(budget, budget.amount, world) }
        world.abandonedCharges = rule
        world.generations = setup.budgets.map(\.generation)
        return setup
    }

    /// Two to four levels. Not every account has a budget.
    private static func tree(_ world: World) -> [(id: String, parent: String?)] {
        var accounts: [(id: String, parent: String?)] = [("default", nil), ("d1", "default"), ("d2", "default")]
        guard world.random.chance(0.5) else { return accounts }
        accounts += [("t1", "d1"), ("t2", "d2")]
        if world.random.chance(0.5) { accounts.append(("u1", "t1")) }
        return accounts
    }

    static func put(_ budget: Setup.Budget, _ amount: Int64, _ world: World) async throws {
        for period in budget.periods {
            let key = LeaseKey(generation: budget.generation, start: period.start)
            world.limits[key] = max(world.limits[key] ?? 0, amount)
        }
        let stored = budget.periods.enumerated().map { "\($1.start):\($1.end):2026-0\($0 + 1)" }
        _ = try await world.books.putBudget(
            account: budget.account, name: "main",
            fields: [
                ("record", "{}"), ("generation", budget.generation), ("unit", "tokens"), ("amount", String(amount)),
                ("mode", "enforce"), ("steps", "8000:warn,10000:block"), ("every", budget.every),
                ("periods", budget.every == "minute" ? "" : stored.joined(separator: ",")),
                ("abandoned", budget.abandonedCharges ? "charge" : "release"), ("outage", "spend_leases:30"),
            ], change: Change(id: world.fresh("c"), actor: "simulation"), organisation: World.organisation)
    }

    private static func work(_ world: World, _ setup: Setup) async throws {
        for _ in 0..<Int(world.random.integer(world.nodeCount)) { world.nodes.append(SimulatedNode(world)) }
        client(world, setup)
        fault(world, setup)
        if !world.faults.isDisjoint(with: [.rollback, .stale]) { snapshots(world) }
        if world.faults.contains(.period) { console(world) }
        try await world.run(until: world.begin + workTime)
    }

    /// The console looks for periods to close all the while.
    private static func console(_ world: World) {
        world.after(world.random.integer(500...3000)) { world in
            if world.ledgerUp, !world.isFull {
                _ = try await world.books.closePeriods(organisation: World.organisation)
                try await world.check("closing")
            }
            if world.now < world.begin + workTime { console(world) }
        }
    }

    private static func snapshots(_ world: World) {
        world.after(150) { world in
            if world.ledgerUp, !world.isFull { try await world.snapshot() }
            if world.now < world.begin + workTime { snapshots(world) }
        }
    }

    /// Requests come one after the other, sometimes many at once; commits follow at any node, some never.
    private static func client(_ world: World, _ setup: Setup) {
        world.after(world.random.integer(1...50)) { world in
            guard world.now < world.begin + workTime else { return }
            client(world, setup)
            let leaves = setup.accounts.map(\.id)
            guard let account = world.random.pick(leaves + ["d1", "d1", leaves[leaves.count - 1]]) else { return }
            let isStorm = world.random.chance(0.01)
            if isStorm { world.count("storm") }
            for _ in 0..<(isStorm ? 40 : 1) { request(account, world, setup) }
        }
    }

    private static func request(_ account: String, _ world: World, _ setup: Setup) {
        guard let node = world.random.pick(world.nodes.filter(\.isRunning)) else { return }
        let amount = world.random.pick([1, 2, 3, 5, 8, 12] as [Int64]) ?? 1
        node.deliver(world) { world in
            let asked = world.now
            node.reserve(account, amount, world, setup) { world, admitted, reason in
                guard let admitted else {
                    world.count(reason.map { "refused \($0)" } ?? "refused")
                    return
                }
                world.count("admitted")
                world.periodCheck(admitted.holds, setup)
                admit(admitted, amount, asked, node, world)
            }
        }
    }

    private static func admit(
        _ made: (session: String, number: Int64, holds: [LeaseKey: Int64]), _ amount: Int64, _ asked: Int64,
        _ node: SimulatedNode, _ world: World
    ) {
        let id = ReservationID(session: made.session, number: made.number, holds: made.holds)
        world.remember(id.key, Truth(session: made.session, holds: made.holds, askedAt: asked))
        world.admittedCheck()
        if !world.abandonedCharges { world.after(expiry - 500) { release(id.key, $0) } }
        let dice = Double.random(in: 0..<1, using: &world.random)
        if dice < 0.08 { return }
        var used = world.random.integer(0...amount)
        if dice < 0.16 { used = amount + world.random.integer(0...amount) }
        let quick = world.random.pick([5, 20, 100, 400, 1500] as [Int64]) ?? 5
        let delay = world.random.chance(0.95) ? quick : world.random.integer(3000...6000)
        world.after(delay) { world in commit(id, used, node, world, tries: 0) }
    }

    /// Where abandoned holds are released, the ledger does it for a session that no longer settles by itself.
    private static func release(_ id: String, _ world: World) {
        guard let truth = world.truths[id], truth.attempts.isEmpty, world.now < world.begin + workTime else { return }
        if !world.nodes.contains(where: { $0.isRunning && $0.isLive(truth.session) }) {
            world.update(id) { $0.isReleased = true }
        } else {
            world.after(100) { release(id, $0) }
        }
    }

    private static func commit(_ id: ReservationID, _ used: Int64, _ node: SimulatedNode, _ world: World, tries: Int) {
        guard world.truths[id.key]?.acknowledged == nil, tries < 60 else { return }
        let running = world.nodes.filter(\.isRunning)
        let chosen = node.isRunning && world.random.chance(0.4) ? node : world.random.pick(running)
        world.after(350) { world in commit(id, used, node, world, tries: tries + 1) }
        guard let chosen else { return }
        world.update(id.key) { if !$0.attempts.contains(used) { $0.attempts.append(used) } }
        if !world.abandonedCharges, let asked = world.truths[id.key]?.askedAt, world.now - asked > expiry - 500 {
            world.update(id.key) { $0.cameAfterRelease = true }
        }
        world.send { world in
            chosen.deliver(world) { world in
                chosen.commit(id, used, world) { world, taken in
                    world.send { world in
                        guard taken, world.truths[id.key]?.acknowledged == nil else { return }
                        world.update(id.key) { $0.acknowledged = used }
                        world.count("acknowledged")
                    }
                }
            }
        }
    }

    private static func fault(_ world: World, _ setup: Setup) {
        world.after(world.random.integer(200...1600)) { world in
            guard world.now < world.begin + workTime else { return }
            fault(world, setup)
            let alive = world.nodes.filter { $0.isRunning && !$0.isPaused }
            var kinds: [Faults] = []
            for kind in [
                Faults.kill, .pause, .close, .rollback, .lower, .oneWay, .leap, .scripts, .full, .stale,
            ] where world.faults.contains(kind) {
                kinds.append(kind)
            }
            switch world.random.pick(kinds) {
            case Faults.kill where alive.count > 1:
                world.random.pick(alive)?.kill(world)
                world.after(world.random.integer(50...2000)) { $0.nodes.append(SimulatedNode($0)) }
            case Faults.pause:
                let duration = world.random.pick([300, 2000, 4000, 7000] as [Int64]) ?? 300
                world.random.pick(alive)?.pause(world, for: duration)
            case Faults.close where alive.count > 1:
                world.random.pick(alive)?.close(world)
                world.after(world.random.integer(50...500)) { $0.nodes.append(SimulatedNode($0)) }
            case Faults.oneWay:
                world.random.pick(alive)?.cut(world, for: world.random.integer(200...6000))
            case Faults.leap: world.random.pick(alive)?.leap(world)
            case Faults.scripts:
                world.count("scripts lost")
                _ = try await world.redis.send(["SCRIPT", "FLUSH"])
            case Faults.full where world.ledgerUp && !world.isFull:
                try await world.fill(for: world.random.integer(100...4000))
            case Faults.stale where world.ledgerUp && !world.isFull:
                try await world.rollback(age: 1000...1900, down: world.random.integer(20...1000))
            case Faults.rollback where world.ledgerUp && !world.isFull:
                try await world.rollback(
                    age: 0...1000, down: world.random.pick([50, 300, 1500, 5000] as [Int64]) ?? 50)
            case Faults.lower where world.ledgerUp && !world.isFull:
                guard let budget = world.random.pick(setup.budgets) else { return }
                let amount = budget.amount * (world.random.pick([50, 80, 100, 130] as [Int64]) ?? 100) / 100
                try await put(budget, amount, world)
                world.note("allowance of \(budget.account) \(amount)")
            default: break
            }
        }
    }

    /// No more faults: everything that is still open ends, then every node says goodbye, the last one after the others.
    private static func settleDown(_ world: World, _ setup: Setup) async throws {
        world.calm = true
        let janitor = SimulatedNode(world)
        try await world.run(until: world.now + 16_000)
        try await world.refusalCheck(at: janitor, setup)
        for node in world.nodes { node.close(world) }
        try await world.run(until: world.now + 14_000)
        for node in world.nodes where node.isRunning {
            throw Violation(description: "\(node.name) did not end its goodbye")
        }
        janitor.close(world)
        try await world.run(until: world.now + 6_000)
    }
}
