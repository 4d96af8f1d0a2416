// Admissions and refusals as answers: figures, receipts, what would have fit.

import Ledger
import Logging
import QuotaCore
import Synchronization

extension OrganisationNode {
    static func unpriced(_ model: String?) -> String {
        if let model { return "model \(model) has no price, and the account has a budget in dollars" }
        return "a model or an estimate in dollars is needed: the account has a budget in dollars"
    }

    func figures(_ slot: Slot) -> BudgetFigures {
        let known = slot.lease.figures
        return BudgetFigures(
            account: slot.rule.account, budget: slot.rule.name, unit: slot.rule.unit, allowance: known.allowance,
            remaining: known.allowance - known.spent - known.doubt, resetsAt: slot.lease.end * 1000, asOf: known.asOf,
            visibleBelow: slot.rule.visibleBelow, version: slot.rule.version)
    }

    func receipt(
        _ outcome: String, _ entry: AccountEntry?, account: String, model: String?, _ requested: Amounts, time: Int64,
        budgets: [BudgetFigures]
    ) -> Receipt {
        Receipt(
            outcome: outcome, account: account, model: model, requested: requested, time: time,
            node: configuration.nodeID, session: entry?.session.id ?? sessionID,
            rulesVersion: entry?.chain.rulesVersion ?? rulesVersion.load(ordering: .relaxed),
            pricesVersion: entry?.pricesVersion ?? 0, budgets: budgets)
    }

    func token(_ entry: AccountEntry, _ number: Int64, _ hold: ChainHold, model: String?, time: Int64)
        -> ReservationToken
    {
        var holds: [Hold] = []
        holds.reserveCapacity(hold.chain.slots.count)
        for (index, slot) in hold.chain.slots.enumerated() where !hold.isExempt(index) {
            holds.append(
                Hold(
                    generation: slot.rule.generation, periodStart: slot.lease.key.start, unit: slot.rule.unit,
                    amount: hold.amounts[slot.rule.unit]))
        }
        return ReservationToken(
            session: entry.session.id, number: number, account: entry.chain.account, model: model, reservedAt: time,
            rulesVersion: entry.chain.rulesVersion, pricesVersion: entry.pricesVersion, holds: holds)
    }

    func admission(
        _ entry: AccountEntry, _ request: ReservationRequest, _ number: Int64?, amounts: Amounts, model: String?,
        time: Int64, attempt: Attempt? = nil
    ) -> Admission {
        let rerouted = attempt?.isRerouted ?? false
        let budgets = entry.chain.slots.map { figures($0) }
        let hold = attempt?.hold ?? ChainHold(chain: entry.chain, amounts: amounts)
        if let number { journalHold(number, of: entry.session) }
        return Admission(
            decision: rerouted ? .reroute : .allow,
            token: number.map { token(entry, $0, hold, model: model, time: time) },
            receipt: receipt(
                rerouted ? "reroute" : "allow", entry, account: request.account, model: model, amounts, time: time,
                budgets: budgets),
            model: model, account: request.account, expiresAt: time + request.timeToLive.milliseconds,
            warnings: warnings(entry, amounts, attempt), budgets: budgets)
    }

    /// Steps that are reached without refusing: warn steps, a shadow budget's ladder, a reroute, a throttle.
    private func warnings(_ entry: AccountEntry, _ amounts: Amounts, _ attempt: Attempt?) -> [Warning] {
        var list: [Warning] = []
        for (index, slot) in entry.chain.slots.enumerated() where attempt != nil || !slot.rule.steps.isEmpty {
            let known = slot.lease.figures
            guard known.asOf > 0 else { continue }
            func add(_ code: String, _ detail: String) {
                list.append(Warning(code: code, account: slot.rule.account, budget: slot.rule.name, detail: detail))
            }
            for step in slot.rule.steps {
                let at = step.amount(of: known.allowance)
                if step.kind == .warn {
                    if known.spent + known.doubt >= at {
                        add("threshold", "\(step.at / 100) % of the allowance is spent")
                    }
                } else if slot.rule.shadow {
                    let scale = slot.lease.scale
                    let wanted = (amounts[slot.rule.unit] + scale - 1) / scale
                    if known.committed + wanted > at {
                        add("shadow", "would have been stopped by \(step.kind.rawValue)")
                    }
                }
            }
            if let attempt {
                if attempt.exempt & (1 << UInt64(index)) != 0 { add("rerouted", "not charged to this budget") }
                if attempt.throttled & (1 << UInt64(index)) != 0 { add("throttled", "taken from the throttle's rate") }
            }
        }
        return list
    }

    // MARK: Refusals

    func refusal(
        _ code: Refusal.Code, _ entry: AccountEntry?, _ request: ReservationRequest, _ requested: Amounts, time: Int64,
        detail: String, refusedBy: [BudgetFigures] = [], retryAfter: Int64? = nil, fits: Int64? = nil,
        blockedAt: String? = nil
    ) -> Refusal {
        counters.refused(code).add(1)
        return Refusal(
            code: code, detail: detail,
            receipt: receipt(
                code.rawValue, entry, account: request.account, model: request.model, requested, time: time,
                budgets: refusedBy),
            account: request.account, requested: requested, refusedBy: refusedBy, retryAfter: retryAfter,
            fitsOutputTokens: fits, blockedAt: blockedAt)
    }

    /// Blocks and allow-lists: what no money can change.
    func ruleRefusal(_ entry: AccountEntry, _ request: ReservationRequest, time: Int64) -> Refusal? {
        if let block = entry.chain.block {
            return refusal(
                .accountBlocked, entry, request, .zero, time: time,
                detail: "the account is blocked: \(block.blockReason ?? "")", blockedAt: block.id)
        }
        guard let model = request.model, !entry.terms(model, at: time).allowed else { return nil }
        return refusal(
            .modelNotAllowed, entry, request, .zero, time: time,
            detail: "model \(model) is not allowed for this account")
    }

    func unknownAccount(_ request: ReservationRequest) -> Refusal {
        refusal(.notFound, nil, request, .zero, time: nowMilliseconds(), detail: "there is no such account")
    }

    func outOfReach(_ request: ReservationRequest, _ error: any Error) -> Refusal {
        logger.warning("cannot decide", metadata: ["error": "\(error)"])
        return refusal(
            .ledgerUnavailable, nil, request, .zero, time: nowMilliseconds(), detail: "the ledger is out of reach",
            retryAfter: 1)
    }

    func refused(
        _ reason: RefusalReason, _ attempt: Attempt, _ entry: AccountEntry, _ request: ReservationRequest, time: Int64
    ) -> Refusal {
        switch reason {
        case .exhausted(let places): return exhausted(places, attempt, entry, request, time: time)
        case .throttled(let milliseconds):
            let throttled = entry.chain.slots.indices.filter { attempt.throttled & (1 << UInt64($0)) != 0 }
            return refusal(
                .throttled, entry, request, attempt.amounts, time: time, detail: "the budget's throttle is at its rate",
                refusedBy: throttled.map { figures(entry.chain.slots[$0]) },
                retryAfter: max(1, (milliseconds + 999) / 1000))
        case .recovering:
            return refusal(
                .ledgerRecovering, entry, request, attempt.amounts, time: time,
                detail: "the ledger is healing after lost writes", retryAfter: 1)
        case .overloaded:
            return refusal(
                .overloaded, entry, request, attempt.amounts, time: time, detail: "too many requests wait on this node",
                retryAfter: 1)
        case .unavailable, .stale:
            return refusal(
                .ledgerUnavailable, entry, request, attempt.amounts, time: time, detail: "the ledger is out of reach",
                retryAfter: 1)
        }
    }

    func exhausted(
        _ places: [Int], _ attempt: Attempt, _ entry: AccountEntry, _ request: ReservationRequest, time: Int64
    ) -> Refusal {
        let slots = entry.chain.slots
        // Without a verdict (the time ran out during a recall) every budget that lacks is named.
        let named =
            places.isEmpty
            ? slots.indices.filter { slots[$0].lease.slice < attempt.amounts[slots[$0].rule.unit] } : places
        var retry: Int64 = 1
        var names: [String] = []
        for place in named {
            let slot = slots[place]
            names.append("\(slot.rule.account)/\(slot.rule.name)")
            if !mayComeBack(slot, attempt.amounts) { retry = max(retry, (slot.lease.end * 1000 - time + 999) / 1000) }
        }
        return refusal(
            .budgetExhausted, entry, request, attempt.amounts, time: time,
            detail: "the allowance of \(names.joined(separator: ", ")) does not suffice",
            refusedBy: named.map { figures(slots[$0]) }, retryAfter: retry,
            fits: fitting(named.map { slots[$0] }, entry, request, time: time))
    }

    /// Open holds of others may free enough for this request.
    private func mayComeBack(_ slot: Slot, _ amounts: Amounts) -> Bool {
        let known = slot.lease.figures
        guard let top = known.ceilings.last?.amount else { return true }
        let wanted = (amounts[slot.rule.unit] + slot.lease.scale - 1) / slot.lease.scale
        return known.committed > known.spent && wanted <= top - known.spent
    }

    /// Output tokens for which the request would have fit, by the figures last known.
    private func fitting(_ slots: [Slot], _ entry: AccountEntry, _ request: ReservationRequest, time: Int64) -> Int64? {
        guard let input = request.estimate.inputTokens, let output = request.estimate.outputTokens else { return nil }
        var most = output
        for slot in slots {
            let known = slot.lease.figures
            guard let top = known.ceilings.last?.amount else { continue }
            let free = max(0, top - known.committed) * slot.lease.scale + max(0, slot.lease.slice)
            switch slot.rule.unit {
            case .requests: if free < 1 { most = 0 }
            case .tokens: most = min(most, free - input)
            case .usd:
                guard let price = entry.terms(request.model, at: time).price else { continue }
                let each = price.estimate(inputTokens: 0, outputTokens: 1_000_000)
                let rest = free - price.estimate(inputTokens: input, outputTokens: 0)
                if each > 0 { most = min(most, rest > 0 ? Int64(Double(rest) * 1_000_000 / Double(each)) : 0) }
            }
        }
        return most > 0 && most < output ? most : nil
    }
}
