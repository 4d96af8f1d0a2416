// What must hold: after every call to the ledger, at every admission, and when all is quiet.

import Ledger
import QuotaCore
import RedisClient

extension World {
    /// An expiry at the owner charges the hold where the budgets say so.
    func expired(_ session: String, _ number: Int64) {
        update("\(session)/\(number)") { $0.attempts.append(-1) }
        note("expired \(session) \(number)")
    }

    /// G2, G3: what clients hold or have used never exceeds the largest limit, but for overruns and for grants that a
    /// rollback took from sessions.
    func admittedCheck() {
        for (key, total) in totals {
            let lost = (forgiven[key] ?? 0) + lostRows.filter { $0.key == key }.map(\.amount).reduce(0, +)
            let bound = (limits[key] ?? 0) + total.overruns + lost
            if total.held > bound {
                breach = breach ?? "G3 \(key.generation): \(total.held) held or used, \(bound) allowed"
            }
        }
    }

    /// G4: when all is quiet, what no book shows as taken is granted to whoever asks for it, to the last unit.
    /// Most is spent by then, so every allowance is raised before: nobody may go on refusing.
    func refusalCheck(at node: SimulatedNode, _ setup: Setup) async throws {
        for budget in setup.budgets { try await Run.put(budget, budget.amount * 14 / 10, self) }
        for account in setup.accounts.map(\.id) {
            var available = Int64.max
            for budget in setup.path(account) {
                guard let period = budget.period(at: now) else { continue }
                let book = try await books.books(
                    generation: budget.generation, start: period.start, organisation: World.organisation
                ).first
                // Nobody has asked for this period yet: what it inherits is not settled before it is opened.
                guard let book else { return }
                available = min(available, book.limit - book.committed)
            }
            guard available > 0, available < .max else { continue }
            var outcome: (isAdmitted: Bool, reason: RefusalReason?)?
            node.reserve(account, available, self, setup) { world, admitted, reason in
                outcome = (admitted != nil, reason)
                guard let admitted else { return }
                let id = ReservationID(session: admitted.session, number: admitted.number, holds: admitted.holds)
                world.remember(id.key, Truth(session: admitted.session, holds: admitted.holds, askedAt: world.now))
                world.update(id.key) { $0.attempts = [0] }
                node.commit(id, 0, world) { _, _ in }
            }
            try await run(until: now + 1500)
            if outcome?.isAdmitted != true {
                throw Violation(description: "G4 \(account): \(available) are free, \(String(describing: outcome))")
            }
            count("last unit granted")
            // What came back is given back.
            try await run(until: now + 4000)
        }
    }

    /// When all is quiet: nothing outstanding but what the dead keep, every acknowledged commit in the books once.
    func finalCheck(_ setup: Setup) async throws {
        if let breach { throw Violation(description: breach) }
        try await check("the end")
        for generation in generations {
            for book in try await books.books(generation: generation, limit: 100, organisation: World.organisation) {
                if let wrong = book.violations.first {
                    throw Violation(description: "G1 at the end: \(generation) \(wrong)")
                }
            }
        }
        var bySession: [Row: (low: Int64, high: Int64)] = [:]
        for truth in truths.values {
            for (key, hold) in truth.holds {
                let bounds = charges(truth, hold)
                let row = Row(session: truth.session, key: key)
                bySession[row, default: (0, 0)].low += bounds.low
                bySession[row, default: (0, 0)].high += bounds.high
            }
        }
        for (row, expected) in bySession {
            let found = try await self.row(row)
            let clean = nodes.contains { $0.exitedCleanly && $0.knows(row.session) }
            let doubt = found.granted - found.used - found.returned - found.booked
            let spent = found.used + found.booked
            // What a rollback took from a session that died before it could tell.
            let untold = lostRows.filter { $0.session == row.session && $0.key == row.key }.map(\.amount).reduce(0, +)
            let lost = (forgiven[row.key] ?? 0) + untold
            if spent > expected.high {
                throw Violation(description: "counted twice: \(row) \(found), at most \(expected.high)")
            }
            if clean {
                if spent < expected.low {
                    throw Violation(description: "lost: \(row) \(found), at least \(expected.low)")
                }
                if doubt != 0 { throw Violation(description: "stranded: \(row) keeps \(doubt), \(found)") }
            } else if !losesTellers, spent + max(0, doubt) + lost < expected.low {
                throw Violation(description: "lost of a dead session: \(row) \(found), at least \(expected.low)")
            }
        }
    }

    /// What may have been charged for a reservation: exactly what was acknowledged, unless time ended it too.
    private func charges(_ truth: Truth, _ hold: Int64) -> (low: Int64, high: Int64) {
        let tried = truth.attempts.filter { $0 >= 0 }
        let clean = nodes.contains { $0.exitedCleanly && $0.knows(truth.session) }
        // A hold that was parked at goodbye, or expired at its owner, may be charged whole; a commit that then comes
        // through the ledger can only raise that.
        guard let low = tried.min(), let high = tried.max() else { return (0, hold) }
        if let acknowledged = truth.acknowledged, clean, !truth.attempts.contains(-1), tried.count == 1, !ledgerCharged
        {
            return (acknowledged, acknowledged)
        }
        // A late commit has no hold any more that a death could keep in doubt.
        let sure = truth.acknowledged != nil && (clean || !truth.attempts.contains(-1))
        return (sure ? truth.isCountedByOwner && !clean ? min(low, hold) : low : 0, max(high, hold))
    }

    /// Two faults at once: Redis forgets a settlement and the node that could tell it again dies.
    private var losesTellers: Bool { !faults.isDisjoint(with: [.rollback, .stale]) && faults.contains(.kill) }

    struct LeaseRow: CustomStringConvertible {
        var granted: Int64 = 0
        var used: Int64 = 0
        var returned: Int64 = 0
        var booked: Int64 = 0
        var description: String { "granted \(granted) used \(used) returned \(returned) booked \(booked)" }
    }

    private func row(_ row: Row) async throws -> LeaseRow {
        let name = Ledger.prefix(World.organisation) + "leases:\(row.key.generation):\(row.key.start)"
        let text = try await redis.send(["HGET", name, row.session]).string ?? ""
        let fields = text.split(separator: " ").compactMap { Int64($0) }
        guard fields.count >= 4 else { return LeaseRow() }
        return LeaseRow(granted: fields[0], used: fields[1], returned: fields[2], booked: fields[3])
    }
}
