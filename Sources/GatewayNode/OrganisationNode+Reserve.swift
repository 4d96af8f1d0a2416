// Reserving: from memory while slices suffice, else in line for a grant.

import Ledger
import QuotaCore
import Synchronization

extension OrganisationNode {
    /// The core of admission: takes the hold from the account's slices, all or none, or nothing.
    ///
    /// No await, no I/O, no lock that all requests share.
    ///
    /// - Returns: the reservation's number; nil when slices do not suffice or the rules in memory are not current.
    package func admit(
        _ entry: AccountEntry, amounts: Amounts, model: String?, timeToLive: Int64, now: Int64
    ) -> Int64? {
        let session = entry.session
        let time = session.ledgerTime(now)
        guard entry.isCurrent(time), entry.chain.block == nil, session.isFresh(now, bound: entry.chain.stalenessBound)
        else { return nil }
        return session.table.admit(
            ChainHold(chain: entry.chain, amounts: amounts), expiresAt: time + timeToLive, model: model)
    }

    /// The account as it is in memory.
    package func cachedEntry(_ account: String) -> AccountEntry? { entries[account] }

    /// Decides at once from memory; nil when that takes the ledger.
    package func reserveNow(_ request: ReservationRequest) -> ReservationOutcome? {
        guard let entry = entries[request.account] else { return nil }
        let now = clock.now()
        let time = entry.session.ledgerTime(now)
        guard entry.isCurrent(time), entry.session.isFresh(now, bound: entry.chain.stalenessBound) else { return nil }
        if let refusal = ruleRefusal(entry, request, time: time) { return .refused(refusal) }
        let terms = entry.terms(request.model, at: time)
        guard let amounts = terms.amounts(request.estimate, needsDollars: entry.needsDollars) else {
            return .refused(
                refusal(.unpricedModel, entry, request, .zero, time: time, detail: Self.unpriced(request.model)))
        }
        if request.dryRun {
            guard entry.session.table.wouldAdmit(ChainHold(chain: entry.chain, amounts: amounts)) else { return nil }
            return .admitted(admission(entry, request, nil, amounts: amounts, model: request.model, time: time))
        }
        let life = request.timeToLive.milliseconds
        if let number = entry.session.table.admit(
            ChainHold(chain: entry.chain, amounts: amounts), expiresAt: time + life, model: request.model)
        {
            counters.admitted.add(1)
            return .admitted(admission(entry, request, number, amounts: amounts, model: request.model, time: time))
        }
        // Refuse from memory what the ledger has refused before.
        var attempt = attempt(entry, amounts, request, time: time)
        if case .exhausted(let places) = attempt.evaluate() {
            return .refused(exhausted(places, attempt, entry, request, time: time))
        }
        return nil
    }

    /// Decides, waiting for a grant of the ledger where slices do not suffice.
    package func reserve(_ request: ReservationRequest) async -> ReservationOutcome {
        await decide(request, atOnce: { reserveNow(request) }) { await reserveThroughLedger($0, request) }
    }

    /// Decides by the present rules of the request's account, again where these turn out to have changed.
    ///
    /// - Parameters:
    ///   - atOnce: tried first each time; nil: it takes the account's rules, and perhaps the ledger.
    ///   - body: nil: the rules were out of date.
    func decide(
        _ request: ReservationRequest, atOnce: () -> ReservationOutcome? = { nil },
        _ body: (AccountEntry) async -> ReservationOutcome?
    ) async -> ReservationOutcome {
        for _ in 0..<4 {
            if let outcome = atOnce() { return outcome }
            do {
                guard let entry = try await entry(for: request.account) else {
                    return .refused(unknownAccount(request))
                }
                if let outcome = await body(entry) { return outcome }
            } catch {
                return .refused(outOfReach(request, error))
            }
        }
        return .refused(outOfReach(request, RulesError(message: "the rules kept changing")))
    }

    /// Nil: the rules in memory were out of date, try again.
    private func reserveThroughLedger(_ entry: AccountEntry, _ request: ReservationRequest) async -> ReservationOutcome?
    {
        let time = nowMilliseconds()
        if let refusal = ruleRefusal(entry, request, time: time) { return .refused(refusal) }
        let terms = entry.terms(request.model, at: time)
        guard let amounts = terms.amounts(request.estimate, needsDollars: entry.needsDollars) else {
            return .refused(
                refusal(.unpricedModel, entry, request, .zero, time: time, detail: Self.unpriced(request.model)))
        }
        let attempt = attempt(entry, amounts, request, time: time)
        let expiresAt = time + request.timeToLive.milliseconds
        let outcome = await wait(attempt, .reserve(expiresAt: expiresAt))
        switch outcome.result {
        case .admitted(let number):
            if request.dryRun || Task.isCancelled { _ = entry.session.table.release(number, now: nowMilliseconds()) }
            counters.admitted.add(1)
            return .admitted(
                admission(
                    entry, request, request.dryRun ? nil : number, amounts: outcome.attempt.amounts,
                    model: outcome.attempt.model, time: time, attempt: outcome.attempt))
        case .refused(.stale):
            entry.chain.retire()
            return nil
        case .refused(let reason): return .refused(refused(reason, outcome.attempt, entry, request, time: time))
        }
    }

    func attempt(_ entry: AccountEntry, _ amounts: Amounts, _ request: ReservationRequest, time: Int64) -> Attempt {
        Attempt(chain: entry.chain, amounts: amounts, model: request.model) { target in
            let terms = entry.terms(target, at: time)
            guard terms.allowed else { return .notAllowed }
            var estimate = request.estimate
            // A dollar estimate was made for the first model; the target is priced by the tokens.
            if estimate.inputTokens != nil || estimate.outputTokens != nil || estimate.tokens != nil {
                estimate.usd = nil
            }
            guard let amounts = terms.amounts(estimate, needsDollars: entry.needsDollars) else { return .unpriced }
            return .amounts(amounts)
        }
    }

    /// Puts an attempt in line and waits for its outcome.
    func wait(_ attempt: Attempt, _ kind: Waiter.Kind) async -> WaiterOutcome {
        counters.waits.add(1)
        return await withCheckedContinuation { continuation in
            let now = clock.now()
            let outcome = state.withLock { state -> WaiterOutcome? in
                state.lastWaiter += 1
                let waiter = Waiter(
                    id: state.lastWaiter, attempt: attempt, kind: kind,
                    deadline: now + configuration.timing.waiterTimeout)
                if state.closing {
                    return WaiterOutcome(id: waiter.id, attempt: attempt, result: .refused(.unavailable))
                }
                if let outcome = state.machine.enqueue(waiter, now: now) { return outcome }
                state.continuations[waiter.id] = continuation
                return nil
            }
            if let outcome { continuation.resume(returning: outcome) } else { alarm.ring() }
        }
    }

    func deliver(_ outcomes: [WaiterOutcome]) {
        guard !outcomes.isEmpty else { return }
        let waiting = state.withLock { state in
            outcomes.map { ($0, state.continuations.removeValue(forKey: $0.id)) }
        }
        for (outcome, continuation) in waiting { continuation?.resume(returning: outcome) }
    }
}

extension Duration {
    var milliseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1000 + attoseconds / 1_000_000_000_000_000
    }
}
