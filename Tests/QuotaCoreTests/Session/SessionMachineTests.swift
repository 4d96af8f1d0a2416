// What a session makes of times and answers. There is no ledger: the test gives its answers.

import Testing

@testable import QuotaCore

@Suite("A session")
struct SessionMachineTests {
    private static let first = LeaseKey(generation: "g1", start: 0)
    private static let second = LeaseKey(generation: "g2", start: 0)
    /// Ledger time is this far ahead of the session's clock, ms.
    private static let offset: Int64 = 2_000_000

    private func machine() -> SessionMachine {
        SessionMachine(id: "s", table: ReservationTable(), timing: SessionTiming(), rulesVersion: 1)
    }

    private func lease(_ key: LeaseKey, granted: Int64) -> LeaseAnswer {
        LeaseAnswer(
            key: key, granted: granted, committed: granted, spent: 0, doubt: 0, allowance: 1000, limit: 1000,
            ceilings: [Ceiling(amount: 1000, kind: .block)], slack: 1000, recall: 0, floors: [:], end: 4000, reached: 0)
    }

    /// Sends a message at `now` and answers it `delay` later. Returns the message.
    @discardableResult
    private func exchange(
        _ machine: inout SessionMachine, now: Int64, delay: Int64 = 0, history: String = "h1", ended: Bool = false,
        leases: [LeaseAnswer] = []
    ) throws -> ExchangeMessage {
        let made = machine.makeMessage(now: now)
        let message = try #require(made)
        let answer = ExchangeAnswer(
            now: now + Self.offset, history: history, seq: message.number, rulesVersion: 1, timeToLive: 3000,
            recoveringUntil: 0, sessions: 1, over: false, ended: ended, inbox: [], leases: leases, groups: [])
        _ = machine.receive(answer, to: message.number, sentAt: now, now: now + delay)
        return message
    }

    @Test("settles by itself for a time to live from before its message was sent, not from the answer")
    func deadline() throws {
        var machine = machine()
        try exchange(&machine, now: 100, delay: 800)
        #expect(machine.maySettle(3100))
        #expect(!machine.maySettle(3101))
    }

    @Test("tells what was used in whole micro-dollars, rounded up once over everything")
    func rounding() throws {
        var machine = machine()
        let lease = machine.lease(Self.first, unit: .usd, end: 4000, now: 0)
        let rule = BudgetRule(account: "a", name: "main", generation: "g1", unit: .usd)
        let chain = Chain(
            account: "a", path: [], slots: [Slot(rule: rule, lease: lease)], rulesVersion: 1, maxStaleness: 5000)
        try exchange(&machine, now: 100, leases: [self.lease(Self.first, granted: 10)])
        for (round, (nano, used)) in ([(1200, 2), (1200, 3), (700, 4)] as [(Int64, Int64)]).enumerated() {
            let hold = ChainHold(chain: chain, amounts: Amounts(usd: nano))
            let number = try #require(machine.table.admit(hold, expiresAt: .max, model: nil))
            _ = machine.table.commit(number, actual: hold.amounts, now: Self.offset)
            let message = try exchange(&machine, now: 200 + Int64(round) * 100)
            #expect(message.leases.first?.used == used)
        }
    }

    @Test("a commit after the expiry corrects the charge made then")
    func lateCommit() throws {
        var machine = machine()
        let lease = machine.lease(Self.first, unit: .tokens, end: 4000, now: 0)
        let rule = BudgetRule(account: "a", name: "main", generation: "g1", unit: .tokens)
        let chain = Chain(
            account: "a", path: [], slots: [Slot(rule: rule, lease: lease)], rulesVersion: 1, maxStaleness: 5000)
        try exchange(&machine, now: 100, leases: [self.lease(Self.first, granted: 10)])
        let hold = ChainHold(chain: chain, amounts: Amounts(tokens: 5))
        let number = try #require(machine.table.admit(hold, expiresAt: Self.offset, model: nil))
        for shard in 0..<ReservationTable.shardCount {
            _ = machine.table.expire(shard: shard, now: Self.offset, limit: 10)
        }
        #expect([lease.charged, lease.slice] == [5, 5])
        _ = machine.table.commit(number, actual: Amounts(tokens: 2), now: Self.offset + 1)
        #expect([lease.charged, lease.slice] == [2, 8])
    }

    @Test("a grant that is shown again adds nothing to the slice")
    func grantedOnce() throws {
        var machine = machine()
        let lease = machine.lease(Self.first, unit: .tokens, end: 4000, now: 0)
        for now in [100, 200, 300] as [Int64] {
            try exchange(&machine, now: now, leases: [self.lease(Self.first, granted: 10)])
            #expect(lease.slice == 10)
        }
    }

    @Test("adopts a new history when that has shown all leases with all that was granted")
    func adoption() throws {
        var machine = machine()
        for key in [Self.first, Self.second] { _ = machine.lease(key, unit: .tokens, end: 4000, now: 0) }
        try exchange(
            &machine, now: 100, leases: [lease(Self.first, granted: 10), lease(Self.second, granted: 10)])
        try exchange(&machine, now: 200, history: "h2", leases: [lease(Self.first, granted: 10)])
        #expect(machine.history == "h1")
        try exchange(&machine, now: 300, history: "h2", leases: [lease(Self.second, granted: 4)])
        #expect(machine.history == "h1")
        try exchange(&machine, now: 400, history: "h2", leases: [lease(Self.second, granted: 10)])
        #expect(machine.history == "h2")
    }

    @Test("has ended when two answers to its goodbye, further apart than Redis may lose, confirm it")
    func goodbye() throws {
        var machine = machine()
        try exchange(&machine, now: 100)
        machine.close(now: 200)
        for now in [200, 1000, 2200] as [Int64] {
            let message = try exchange(&machine, now: now, ended: true)
            #expect(message.goodbye)
            #expect(machine.phase == .closing)
        }
        try exchange(&machine, now: 2201, ended: true)
        #expect(machine.phase == .ended)
    }

    @Test("forgets the lease of a finished period only when no late commit can change it any more")
    func finishedLease() throws {
        var machine = machine()
        _ = machine.lease(Self.first, unit: .tokens, end: 1000, now: 0)
        let wait = ReservationTable.keepSettled + SessionTiming().redisLoss
        for now in [100, 200, wait] as [Int64] {
            try exchange(&machine, now: now)
            #expect(machine.leaseCount == 1)
        }
        try exchange(&machine, now: wait + 101)
        #expect(machine.leaseCount == 0)
    }

    @Test("takes a first answer that comes late for lost, and learns the ledger's time from the next")
    func lateFirstAnswer() throws {
        var machine = machine()
        try exchange(&machine, now: 100, delay: 1001)
        #expect(machine.answeredAt == .min)
        try exchange(&machine, now: 2000, delay: 10)
        #expect(abs(machine.ledgerOffset - Self.offset) <= 10)
    }

    @Test("believes a ledger's time that every answer allows", arguments: [300_000, -300_000] as [Int64])
    func leapingClock(leap: Int64) throws {
        var machine = machine()
        try exchange(&machine, now: 400_000, delay: 10)
        // The clock leaps; the answer was made when it came, and tells what it is worth now.
        let now: Int64 = 400_500 + leap
        let made = machine.makeMessage(now: now)
        let message = try #require(made)
        let answer = ExchangeAnswer(
            now: 400_500 + Self.offset, history: "h1", seq: 2, rulesVersion: 1, timeToLive: 3000, recoveringUntil: 0,
            sessions: 1, over: false, ended: false, inbox: [], leases: [], groups: [])
        _ = machine.receive(answer, to: message.number, sentAt: now, now: now + 4)
        #expect(abs(machine.ledgerTime(now) - 400_500 - Self.offset) <= 4)
    }

    enum Change: CaseIterable { case none, retired, ended, late, unread }

    @Test(
        "a grant admits who waited for it only under rules, a period and an answer that still count",
        arguments: Change.allCases)
    func servedLate(change: Change) throws {
        var machine = machine()
        try exchange(&machine, now: 0)
        let end = (Self.offset + (change == .late || change == .unread ? 60_000 : 2000)) / 1000
        let lease = machine.lease(Self.first, unit: .tokens, end: end, now: 0)
        let rule = BudgetRule(account: "a", name: "main", generation: "g1", unit: .tokens)
        let chain = Chain(
            account: "a", path: [], slots: [Slot(rule: rule, lease: lease)], rulesVersion: 1, maxStaleness: 5000)
        let attempt = Attempt(chain: chain, amounts: Amounts(tokens: 5), model: nil) { _ in .unpriced }
        let waiter = Waiter(id: 1, attempt: attempt, kind: .reserve(expiresAt: .max), deadline: .max)
        #expect(machine.enqueue(waiter, now: 100) == nil)
        let made = machine.makeMessage(now: 100)
        let message = try #require(made)
        if change == .retired { chain.retire() }
        let now: Int64 =
            change == .ended ? 2000 : change == .late || change == .unread ? 101 + chain.stalenessBound : 110
        let sentAt: Int64 = change == .ended ? 1900 : change == .unread ? now - 10 : 100
        let answer = ExchangeAnswer(
            now: sentAt + Self.offset, history: "h1", seq: 2, rulesVersion: change == .unread ? 2 : 1, timeToLive: 3000,
            recoveringUntil: 0,
            sessions: 1, over: false, ended: false, inbox: [], leases: [self.lease(Self.first, granted: 5)],
            groups: [.granted])
        let outcomes = machine.receive(answer, to: message.number, sentAt: sentAt, now: now)
        switch (change, outcomes.first?.result) {
        case (.none, .admitted?), (.retired, .refused(.stale)?), (.ended, .refused(.stale)?), (.late, nil),
            (.unread, nil):
            break
        default: Issue.record("\(change): \(outcomes)")
        }
        #expect(lease.slice == (change == .none ? 0 : 5))
        #expect(machine.waiters.count == (change == .late || change == .unread ? 1 : 0))
    }

    private func chain(_ lease: Lease) -> Chain {
        let rule = BudgetRule(account: "a", name: "main", generation: "g1", unit: .tokens)
        return Chain(
            account: "a", path: [], slots: [Slot(rule: rule, lease: lease)], rulesVersion: 1, maxStaleness: 5000)
    }

    private func waiter(_ lease: Lease, _ kind: Waiter.Kind) -> Waiter {
        let attempt = Attempt(chain: chain(lease), amounts: Amounts(tokens: 5), model: nil) { _ in .unpriced }
        return Waiter(id: 1, attempt: attempt, kind: kind, deadline: .max)
    }

    @Test("lets nobody wait for a grant to the lease of another session")
    func foreignLease() throws {
        var (mine, other) = (machine(), machine())
        _ = mine.lease(Self.first, unit: .tokens, end: 4000, now: 0)
        let foreign = other.lease(Self.first, unit: .tokens, end: 4000, now: 0)
        let outcome = mine.enqueue(waiter(foreign, .reserve(expiresAt: .max)), now: 0)
        guard case .refused(.stale)? = outcome?.result else {
            Issue.record("\(String(describing: outcome))")
            return
        }
    }

    @Test("ends the waiting for more when the reservation has ended")
    func extendOfEnded() throws {
        var machine = machine()
        let lease = machine.lease(Self.first, unit: .tokens, end: 4000, now: 0)
        try exchange(&machine, now: 0, leases: [self.lease(Self.first, granted: 5)])
        let hold = ChainHold(chain: chain(lease), amounts: Amounts(tokens: 5))
        let number = try #require(machine.table.admit(hold, expiresAt: .max, model: nil))
        #expect(machine.enqueue(waiter(lease, .extend(number: number, expiresAt: .max)), now: 10) == nil)
        _ = machine.table.commit(number, actual: Amounts(tokens: 5), now: Self.offset)
        let made = machine.makeMessage(now: 20)
        let message = try #require(made)
        let answer = ExchangeAnswer(
            now: 20 + Self.offset, history: "h1", seq: 2, rulesVersion: 1, timeToLive: 3000, recoveringUntil: 0,
            sessions: 1, over: false, ended: false, inbox: [], leases: [self.lease(Self.first, granted: 10)],
            groups: [.granted])
        let outcomes = machine.receive(answer, to: message.number, sentAt: 20, now: 22)
        guard case .refused(.stale)? = outcomes.first?.result else {
            Issue.record("\(outcomes)")
            return
        }
        #expect(machine.waiters.isEmpty)
    }

    @Test("a chain ends with the earliest of its periods")
    func chainEnd() {
        var machine = machine()
        let slots = [(Self.first, 4000), (Self.second, 3600)].map { key, end in
            Slot(
                rule: BudgetRule(account: "a", name: key.generation, generation: key.generation, unit: .tokens),
                lease: machine.lease(key, unit: .tokens, end: Int64(end), now: 0))
        }
        let chain = Chain(account: "a", path: [], slots: slots, rulesVersion: 1, maxStaleness: 5000)
        #expect(chain.validUntil == 3_600_000)
    }
}
