// A gateway node in the simulated world: the real state machines, a driver made of events.

import Ledger
import QuotaCore

final class SimulatedNode {
    let name: String
    private(set) var machine: SessionMachine
    private(set) var past: [SessionMachine] = []
    private var tables: [String: ReservationTable] = [:]
    private(set) var isRunning = true
    private(set) var isPaused = false
    private(set) var exitedCleanly = false
    private var closing = false
    private var backlog: [(World) async throws -> Void] = []
    private var chains: [String: Chain] = [:]
    private var waiting: [UInt64: (WaiterOutcome) -> Void] = [:]
    private var waiterCount: UInt64 = 0
    /// Settlements told to the ledger alone, told again after a rollback.
    private var told: [(session: String, number: Int64, parts: [SettlementPart], at: Int64)] = []
    private var skew: Int64
    /// Until when what it sends, or what it is sent, gets lost.
    private var muteUntil: Int64 = 0
    private var deafUntil: Int64 = 0

    init(_ world: World) {
        name = world.fresh("n")
        skew = world.random.integer(-5...5)
        let table = ReservationTable()
        machine = SessionMachine(id: name + "~" + world.fresh("i"), table: table, timing: SessionTiming())
        tables[machine.id] = table
        schedule(world, in: 0)
    }

    /// Monotonic time of this node.
    func clock(_ world: World) -> Int64 { world.now + 1_000_000 + skew }

    /// Whether a session still settles its own reservations.
    func isLive(_ session: String) -> Bool { machine.id == session && machine.phase == .live }

    func knows(_ session: String) -> Bool { tables[session] != nil }

    // MARK: Faults

    func kill(_ world: World) {
        isRunning = false
        world.count("kill")
        world.note("kill \(name)")
    }

    func pause(_ world: World, for duration: Int64) {
        isPaused = true
        world.count("pause")
        world.note("pause \(name) \(duration)")
        world.after(duration) { [self] world in
            isPaused = false
            let events = backlog.shuffled(using: &world.random)
            backlog = []
            for event in events { deliver(world, event) }
            schedule(world, in: 0)
        }
    }

    /// Nothing of this node arrives, or nothing arrives at it.
    func cut(_ world: World, for duration: Int64) {
        let isMute = world.random.chance(0.5)
        if isMute { muteUntil = world.now + duration } else { deafUntil = world.now + duration }
        world.count("cut")
        world.note("\(isMute ? "mute" : "deaf") \(name) \(duration)")
    }

    func leap(_ world: World) {
        skew += 300_000
        world.count("leap")
        world.note("leap \(name)")
        schedule(world, in: 0)
    }

    func close(_ world: World) {
        guard isRunning, !closing else { return }
        closing = true
        world.note("close \(name)")
        machine.close(now: clock(world))
        schedule(world, in: 0)
    }

    /// Runs an event at this node: lost when it is dead, late when it sleeps.
    func deliver(_ world: World, _ event: @escaping (World) async throws -> Void) {
        guard isRunning else { return }
        if isPaused {
            backlog.append(event)
        } else {
            world.after(0) { [self] world in
                if isRunning, !isPaused { try await event(world) } else { deliver(world, event) }
            }
        }
    }

    // MARK: Requests

    /// A chain of the given budgets in the present period and session.
    private func chain(_ account: String, _ world: World, _ setup: Setup) -> Chain {
        let now = clock(world)
        // Before the first exchange a real node knows the ledger's time from reading the rules.
        let time = machine.answeredAt == .min ? world.now : machine.ledgerTime(now)
        if let known = chains[account], known.isCurrent(time) { return known }
        let slots = setup.path(account).compactMap { budget -> Slot? in
            guard let period = budget.period(at: time) else { return nil }
            let key = LeaseKey(generation: budget.generation, start: period.start)
            let rule = BudgetRule(
                account: budget.account, name: "main", generation: budget.generation, unit: .tokens,
                abandonedCharges: budget.abandonedCharges)
            return Slot(rule: rule, lease: machine.lease(key, unit: .tokens, end: period.end, now: now))
        }
        let made = Chain(
            account: account, path: setup.ancestors(account).map { PathAccount(id: $0) }, slots: slots, rulesVersion: 1,
            maxStaleness: 5000)
        chains[account] = made
        return made
    }

    /// Asks for a hold; `done` gets the session, the number and the leases held, or nil when it was refused.
    func reserve(
        _ account: String, _ amount: Int64, _ world: World, _ setup: Setup,
        done: @escaping (World, (session: String, number: Int64, holds: [LeaseKey: Int64])?, RefusalReason?) -> Void
    ) {
        let now = clock(world)
        guard !closing, machine.phase == .live else { return done(world, nil, .stale) }
        let chain = chain(account, world, setup)
        let amounts = Amounts(tokens: amount)
        // Before the first exchange a real node knows the ledger's time from reading the rules.
        let expires = (machine.answeredAt == .min ? world.now : machine.ledgerTime(now)) + Run.expiry
        let session = machine.id
        let holds = Dictionary(uniqueKeysWithValues: chain.slots.map { ($0.lease.key, amount) })
        let fresh = machine.answeredAt != .min && now - machine.answeredAt <= 5000
        if fresh,
            let number = machine.table.admit(ChainHold(chain: chain, amounts: amounts), expiresAt: expires, model: nil)
        {
            return done(world, (session, number, holds), nil)
        }
        var attempt = Attempt(chain: chain, amounts: amounts, model: nil) { _ in .unpriced }
        if case .exhausted = attempt.evaluate() { return done(world, nil, .exhausted([])) }
        waiterCount += 1
        let waiter = Waiter(
            id: waiterCount, attempt: attempt, kind: .reserve(expiresAt: expires), deadline: now + 1000)
        let finish: (WaiterOutcome) -> Void = { [unowned world] outcome in
            switch outcome.result {
            case .admitted(let number): done(world, (session, number, holds), nil)
            case .refused(let reason): done(world, nil, reason)
            }
        }
        if let outcome = machine.enqueue(waiter, now: now) { return finish(outcome) }
        waiting[waiter.id] = finish
        schedule(world, in: 0)
    }

    private func finish(_ outcomes: [WaiterOutcome]) {
        for outcome in outcomes { waiting.removeValue(forKey: outcome.id)?(outcome) }
    }

    // MARK: Settlement

    /// A commit that reached this node, by a client or a relay. `reply` true: it is acknowledged.
    func commit(
        _ id: ReservationID, _ amount: Int64, _ world: World, relayed: Bool = false,
        reply: @escaping (World, Bool) -> Void
    ) {
        let now = clock(world)
        if let table = tables[id.session] {
            if machine.id == id.session, machine.maySettle(now) {
                switch table.commit(id.number, actual: Amounts(tokens: amount), now: machine.ledgerTime(now)) {
                case .done, .conflict:
                    world.update(id.key) { $0.isCountedByOwner = true }
                    return reply(world, true)
                case .released, .unknown: break
                }
            }
            if relayed { return reply(world, false) }
            return settle(id, amount, world, tries: 0, reply: reply)
        }
        if relayed { return reply(world, false) }
        let once = Once()
        if let owner = world.nodes.first(where: { $0.isRunning && $0.knows(id.session) }) {
            world.send { world in
                owner.deliver(world) { world in
                    owner.commit(id, amount, world, relayed: true) { world, taken in
                        world.send { [self] world in
                            deliver(world) { world in
                                if taken, once.first() { reply(world, true) }
                            }
                        }
                    }
                }
            }
        }
        world.after(200) { [self] world in
            deliver(world) { [self] world in
                if once.first() { settle(id, amount, world, tries: 0, reply: reply) }
            }
        }
    }

    private func settle(
        _ id: ReservationID, _ amount: Int64, _ world: World, tries: Int, reply: @escaping (World, Bool) -> Void
    ) {
        let parts = id.holds.keys.sorted().map { SettlementPart(key: $0, charge: amount, hold: id.holds[$0] ?? 0) }
        let once = Once()
        let epoch = world.epoch
        world.send { [self] world in
            guard world.ledgerUp, world.epoch == epoch, world.now >= muteUntil else { return }
            let result: (outcome: LedgerSettlement, charges: [InboxEntry.Part])
            do {
                result = try await world.books.settle(
                    session: id.session, number: id.number, parts: parts, organisation: World.organisation)
            } catch  where world.isFull {
                return
            }
            world.note("settle \(id.session) \(id.number) \(amount) \(result.outcome)")
            try await world.check("settle")
            world.send { [self] world in
                guard world.now >= deafUntil else { return }
                deliver(world) { [self] world in
                    guard once.first() else { return }
                    told.append((id.session, id.number, parts, world.now))
                    reply(world, true)
                }
            }
        }
        world.after(300) { [self] world in
            deliver(world) { [self] world in
                if tries < 60, once.first() { settle(id, amount, world, tries: tries + 1, reply: reply) }
            }
        }
    }

    /// After a rollback: what was told to the ledger alone is told again.
    func retell(_ world: World) {
        told.removeAll { $0.at + 20_000 < world.now }
        for item in told {
            let holds = Dictionary(uniqueKeysWithValues: item.parts.map { ($0.key, $0.hold) })
            let id = ReservationID(session: item.session, number: item.number, holds: holds)
            settle(id, item.parts.first?.charge ?? 0, world, tries: 0) { _, _ in }
        }
    }

    // MARK: Exchange

    private var wakeAt = Int64.max

    private func schedule(_ world: World, in delay: Int64) {
        let at = world.now + delay
        guard at < wakeAt || wakeAt <= world.now else { return }
        wakeAt = at
        world.after(delay) { [self] world in
            // An earlier wake has taken the place of this one.
            guard isRunning, !isPaused, wakeAt == at else { return }
            wakeAt = .max
            tick(world)
        }
    }

    private func tick(_ world: World) {
        let now = clock(world)
        if machine.phase == .live, machine.maySettle(now) {
            for shard in 0..<16 {
                for number in machine.table.expire(shard: shard, now: machine.ledgerTime(now), limit: 100) {
                    world.expired(machine.id, number)
                }
            }
        }
        finish(machine.expireWaiters(now: now))
        if machine.due(now: now) <= now, let message = machine.makeMessage(now: now) { post(message, now, world) }
        for index in past.indices where past[index].due(now: now) <= now {
            if let message = past[index].makeMessage(now: now) { post(message, now, world) }
        }
        let due = ([machine] + past).map { $0.due(now: now) }.min() ?? now
        schedule(world, in: min(max(1, due - now), 250))
    }

    private func post(_ message: ExchangeMessage, _ sentAt: Int64, _ world: World) {
        let epoch = world.epoch
        world.send { [self] world in
            guard world.ledgerUp, world.epoch == epoch, world.now >= muteUntil else { return }
            let answer: ExchangeAnswer
            do {
                answer = try await world.books.exchange(
                    message, origin: Ledger.Origin(node: "n", advertise: ""), organisation: World.organisation)
            } catch  where world.isFull {
                return world.send { [self] world in deliver(world) { [self] world in fail(message, world) } }
            }
            if world.keepsTrace { world.note(Self.summary(message, answer)) }
            try await world.check("exchange \(message.session) \(message.number)")
            world.send { [self] world in
                guard world.now >= deafUntil else { return }
                deliver(world) { [self] world in receive(answer, message, sentAt, world) }
            }
        }
    }

    /// The ledger has refused the message.
    private func fail(_ message: ExchangeMessage, _ world: World) {
        let now = clock(world)
        if message.session == machine.id {
            machine.fail(message.number, now: now)
            finish(machine.expireWaiters(now: now))
        } else if let index = past.firstIndex(where: { $0.id == message.session }) {
            past[index].fail(message.number, now: now)
        }
        schedule(world, in: 0)
    }

    private static func summary(_ message: ExchangeMessage, _ answer: ExchangeAnswer) -> String {
        let leases = zip(message.leases, answer.leases).map { told, got in
            "\(told.key.generation):\(told.granted)/\(told.used)/\(told.returned)>\(got.granted) committed \(got.committed) spent \(got.spent)"
        }
        return
            "exchange \(message.session) \(message.number)\(message.goodbye ? " goodbye" : "") opened \(message.opened) "
            + "closed \(message.closed) expired \(message.expired) parked \(message.parked.map(\.number)) over \(answer.over) "
            + "ended \(answer.ended) inbox \(answer.inbox.map(\.number)) \(leases)"
    }

    private func receive(_ answer: ExchangeAnswer, _ message: ExchangeMessage, _ sentAt: Int64, _ world: World) {
        let now = clock(world)
        if message.session == machine.id {
            // The rules do not change in a run.
            machine.apply(rules: answer.rulesVersion, asOf: sentAt)
            finish(machine.receive(answer, to: message.number, sentAt: sentAt, now: now))
            if machine.phase == .over, !closing { startNewSession(world) }
        } else if let index = past.firstIndex(where: { $0.id == message.session }) {
            _ = past[index].receive(answer, to: message.number, sentAt: sentAt, now: now)
            if past[index].phase == .ended { past.remove(at: index) }
        }
        if closing, machine.phase == .ended, past.isEmpty {
            isRunning = false
            exitedCleanly = true
            return
        }
        schedule(world, in: 0)
    }

    private func startNewSession(_ world: World) {
        world.count("over")
        world.note("over \(machine.id)")
        past.append(machine)
        let table = ReservationTable()
        machine = SessionMachine(id: name + "~" + world.fresh("i"), table: table, timing: SessionTiming())
        tables[machine.id] = table
        chains = [:]
        let left = waiting
        waiting = [:]
        for (id, finish) in left {
            let attempt = Attempt(
                chain: Chain(account: "", path: [], slots: [], rulesVersion: 0, maxStaleness: 0), amounts: .zero,
                model: nil
            ) { _ in .unpriced }
            finish(WaiterOutcome(id: id, attempt: attempt, result: .refused(.stale)))
        }
    }
}

struct ReservationID: Hashable {
    var session: String
    var number: Int64
    var holds: [LeaseKey: Int64]
    var key: String { "\(session)/\(number)" }
}

/// True the first time it is asked.
final class Once {
    private var used = false
    func first() -> Bool {
        defer { used = true }
        return !used
    }
}
