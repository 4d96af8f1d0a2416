// What one reservation costs in process: hold, then charge, on a chain of three budgets in two units. No Redis.

import QuotaCore

/// A session whose slices are so large that the ledger is never needed.
struct LoadedSession {
    let table: ReservationTable
    let chain: Chain

    init() {
        table = ReservationTable()
        var machine = SessionMachine(id: "bench~1", table: table, timing: SessionTiming())
        let rules = [
            BudgetRule(account: "search", name: "monthly-tokens", generation: "a", unit: .tokens),
            BudgetRule(account: "engineering", name: "monthly-usd", generation: "b", unit: .usd),
            BudgetRule(account: "default", name: "monthly-usd", generation: "c", unit: .usd),
        ]
        var slots: [Slot] = []
        var answers: [LeaseAnswer] = []
        for rule in rules {
            let key = LeaseKey(generation: rule.generation, start: 0)
            slots.append(Slot(rule: rule, lease: machine.lease(key, unit: rule.unit, end: 1 << 40, now: 0)))
            answers.append(
                LeaseAnswer(
                    key: key, granted: 1 << 50, committed: 1 << 50, spent: 0, doubt: 0, allowance: 1 << 51,
                    limit: 1 << 51, ceilings: [Ceiling(amount: 1 << 51, kind: .block)], slack: 1 << 51, recall: 0,
                    floors: [:], end: 1 << 40, reached: 0))
        }
        chain = Chain(
            account: "search", path: ["search", "engineering", "default"].map { PathAccount(id: $0) }, slots: slots,
            rulesVersion: 1, maxStaleness: 5000)
        _ = machine.makeMessage(now: 0)
        _ = machine.receive(
            ExchangeAnswer(
                now: 1000, history: "h", seq: 1, rulesVersion: 1, timeToLive: 3000, recoveringUntil: 0, sessions: 1,
                over: false, ended: false, inbox: [], leases: answers, groups: []),
            to: 1, sentAt: 0, now: 0)
    }

    /// One reserve and commit.
    @inline(never)
    func pair(_ time: Int64) -> Bool {
        let hold = ChainHold(chain: chain, amounts: Amounts(tokens: 2000, usd: 660_000, requests: 1))
        guard let number = table.admit(hold, expiresAt: time + 600_000, model: nil) else { return false }
        let settled = table.commit(number, actual: Amounts(tokens: 1593, usd: 425_000, requests: 1), now: time)
        if case .done = settled { return true }
        return false
    }
}
