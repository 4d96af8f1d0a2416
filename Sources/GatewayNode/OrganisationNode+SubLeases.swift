// /v1/leases: a proxy's lease is a reservation that is used up piece by piece.

import Ledger
import QuotaCore
import Synchronization

/// What the node keeps of a proxy's lease beside its reservation.
struct SubLeaseState: Sendable {
    var account: String
    var granted: Amounts
    var used: Amounts
    var units: Set<BudgetUnit>
    var timeToLive: Duration
}

/// Numbers begin anew in every session.
struct SubLeaseKey: Hashable {
    var session: String
    var number: Int64

    init(_ token: ReservationToken) { (session, number) = (token.session, token.number) }
}

extension OrganisationNode {
    /// Leases that ended without a word, or with their session, are not kept.
    func sweepSubLeases() {
        let handle = session
        subLeases.withLock { kept in
            kept = kept.filter {
                $0.key.session == handle.id && handle.table.reservation($0.key.number)?.state == .open
            }
        }
    }

    static let maximumSubLeases = 10_000

    /// Leases amounts for an account, all or none.
    package func openLease(account: String, units: [BudgetUnit: Int64], timeToLive: Duration) async -> LeaseOutcome {
        guard subLeases.withLock({ $0.count }) < Self.maximumSubLeases else {
            let request = ReservationRequest(account: account, estimate: Estimate())
            return .refused(
                refusal(
                    .overloaded, nil, request, .zero, time: nowMilliseconds(), detail: "too many leases on this node",
                    retryAfter: 1))
        }
        let estimate = Estimate(tokens: units[.tokens] ?? 0, usd: units[.usd] ?? 0, requests: units[.requests] ?? 0)
        let outcome = await reserve(
            ReservationRequest(account: account, estimate: estimate, timeToLive: timeToLive))
        switch outcome {
        case .refused(let refusal): return refusal.code == .notFound ? .unknown : .refused(refusal)
        case .admitted(let admission):
            guard let token = admission.token else { return .unknown }
            let granted = Amounts(tokens: units[.tokens] ?? 0, usd: units[.usd] ?? 0, requests: units[.requests] ?? 0)
            let made = SubLeaseState(
                account: account, granted: granted, used: .zero, units: Set(units.keys), timeToLive: timeToLive)
            subLeases.withLock { $0[SubLeaseKey(token)] = made }
            journalPiecewise(token)
            return .granted(lease(made, token, expiresAt: admission.expiresAt))
        }
    }

    /// Books what was used since the last report and grants more where `want` exceeds what is granted. Cumulative.
    package func report(
        lease id: String, used: [BudgetUnit: Int64], want: [BudgetUnit: Int64]
    ) async -> LeaseOutcome {
        guard let (token, found) = held(id) else { return .unknown }
        var kept = found
        for (unit, amount) in used {
            if amount < kept.used[unit] { return .conflict("used \(unit.rawValue) is below an earlier report") }
            kept.used[unit] = amount
        }
        let part = Self.difference(kept.used, found.used)
        guard session.maySettle(clock.now()), session.table.consume(token.number, part) else { return .unknown }
        subLeases.withLock { $0[SubLeaseKey(token)] = kept }
        let expiresAt = nowMilliseconds() + kept.timeToLive.milliseconds
        var total = kept.granted
        for (unit, amount) in want where amount > total[unit] { total[unit] = amount }
        if total != kept.granted {
            // What is used is no longer held: the new hold is the rest of the new total.
            let rest = Self.difference(total, kept.used)
            let outcome = await extend(
                seal(token), Estimate(tokens: rest.tokens, usd: rest.usd, requests: rest.requests),
                timeToLive: kept.timeToLive)
            switch outcome {
            case .refused(let refusal): return .refused(refusal)
            case .admitted:
                kept.granted = total
                subLeases.withLock { $0[SubLeaseKey(token)] = kept }
            }
        } else {
            _ = session.table.prolong(token.number, expiresAt: expiresAt)
        }
        return .granted(lease(kept, token, expiresAt: expiresAt))
    }

    /// Ends a lease: charges what was used, the rest goes back.
    package func endLease(_ id: String, used: [BudgetUnit: Int64]?) async -> LeaseOutcome {
        guard let (token, found) = held(id) else { return .unknown }
        var kept = found
        for (unit, amount) in used ?? [:] { kept.used[unit] = max(kept.used[unit], amount) }
        let last = Self.difference(kept.used, found.used)
        let outcome = await commit(
            seal(token), .amounts(tokens: last.tokens, usd: last.usd, requests: last.requests))
        guard case .committed = outcome else { return .unknown }
        subLeases.withLock { $0[SubLeaseKey(token)] = nil }
        return .granted(lease(kept, token, expiresAt: nowMilliseconds()))
    }

    private static func difference(_ a: Amounts, _ b: Amounts) -> Amounts {
        Amounts(
            tokens: max(0, a.tokens - b.tokens), usd: max(0, a.usd - b.usd), requests: max(0, a.requests - b.requests))
    }

    private func held(_ id: String) -> (ReservationToken, SubLeaseState)? {
        guard id.hasPrefix("lse_"), let token = open(reservation: "rsv_" + id.dropFirst(4)), token.session == sessionID,
            let kept = subLeases.withLock({ $0[SubLeaseKey(token)] })
        else { return nil }
        guard session.table.reservation(token.number)?.state == .open else {
            subLeases.withLock { $0[SubLeaseKey(token)] = nil }
            return nil
        }
        return (token, kept)
    }

    private func lease(_ kept: SubLeaseState, _ token: ReservationToken, expiresAt: Int64) -> SubLease {
        func byUnit(_ amounts: Amounts) -> [BudgetUnit: Int64] {
            Dictionary(uniqueKeysWithValues: kept.units.map { ($0, amounts[$0]) })
        }
        return SubLease(
            id: "lse_" + seal(token).dropFirst(4), account: kept.account, granted: byUnit(kept.granted),
            used: byUnit(kept.used), expiresAt: expiresAt)
    }

    // MARK: What this node knows of an account

    package func snapshot(account: String) async -> AccountSnapshot? {
        guard let entry = try? await entry(for: account) else { return nil }
        let chain = entry.chain
        return AccountSnapshot(
            account: account, path: chain.path.map(\.id), blockedReason: chain.block?.blockReason,
            version: chain.rulesVersion,
            slices: chain.slots.map { slot in
                let known = slot.lease.figures
                let scale = slot.lease.scale
                let available = slot.lease.slice / scale
                let used = (slot.lease.charged + scale - 1) / scale
                return AccountSnapshot.Slice(
                    figures: figures(slot), state: state(of: slot, known, blocked: chain.block != nil),
                    granted: known.granted, used: used,
                    reserved: max(0, known.granted - known.returned - used - available), available: available)
            })
    }

    private func state(of slot: Slot, _ known: LeaseFigures, blocked: Bool) -> String {
        if blocked { return "blocked" }
        let reached = known.ceilings.prefix(known.reached).last?.kind
        switch reached {
        case .block: return "exhausted"
        case .throttle: return "throttled"
        case .reroute: return "rerouting"
        case .warn, nil: break
        }
        let warned = slot.rule.steps.contains {
            $0.kind == .warn && known.allowance > 0 && known.spent + known.doubt >= $0.amount(of: known.allowance)
        }
        return warned ? "warned" : "active"
    }
}
