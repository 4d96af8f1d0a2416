// Settling: by the owner while it may, through the owner when it is another node, else through the ledger.

import Ledger
import Logging
import QuotaCore
import RedisClient
import Synchronization

extension OrganisationNode {
    /// Commits a reservation of any node.
    package func commit(_ id: String, _ use: ActualUse) async -> SettlementOutcome {
        guard let token = known(id) else { return .unknown }
        return await settle(token, id: id, actual: actual(use, token))
    }

    /// Ends a reservation of any node without charge.
    package func release(_ id: String) async -> SettlementOutcome {
        guard let token = known(id) else { return .unknown }
        return await settle(token, id: id, actual: nil)
    }

    /// The token of an id that is genuine and not older than what the ledger remembers.
    private func known(_ id: String) -> ReservationToken? {
        guard let token = open(reservation: id),
            nowMilliseconds() - token.reservedAt <= configuration.settlementTime
        else { return nil }
        return token
    }

    /// What a commit charges, in node units.
    func actual(_ use: ActualUse, _ token: ReservationToken) -> Amounts {
        func held(_ unit: BudgetUnit) -> Int64 {
            token.holds.filter { $0.unit == unit }.map(\.amount).max() ?? 0
        }
        var amounts = Amounts(tokens: 0, usd: 0, requests: max(1, held(.requests)))
        switch use {
        case .usage(let usage, let model):
            amounts.tokens = usage.totalTokens
            let pricing = settings.withLock { $0.pricing }
            amounts.usd = pricing.price(model ?? token.model, at: token.reservedAt)?.charge(usage) ?? held(.usd)
        case .amounts(let tokens, let usd, let requests):
            amounts.requests = requests ?? amounts.requests
            // Where only one of tokens and dollars is told, the other follows in the proportion that was reserved.
            amounts.tokens = tokens ?? (usd == nil ? 0 : Self.share(usd ?? 0, of: held(.usd), held(.tokens)))
            amounts.usd = usd ?? (tokens == nil ? 0 : Self.share(tokens ?? 0, of: held(.tokens), held(.usd)))
        }
        return amounts
    }

    private static func share(_ told: Int64, of whole: Int64, _ other: Int64) -> Int64 {
        guard whole > 0 else { return other }
        let product = told.multipliedFullWidth(by: other)
        guard product.high < whole else { return other }
        let (quotient, rest) = whole.dividingFullWidth(product)
        return quotient + (rest > 0 ? 1 : 0)
    }

    /// `actual` nil releases.
    private func settle(_ token: ReservationToken, id: String, actual: Amounts?) async -> SettlementOutcome {
        if let own = settleHere(token, actual) { return own }
        if node(of: token.session) != configuration.nodeID, let address = await address(of: token.session) {
            let message = RelayMessage(organisation: organisation, reservation: id, actual: actual)
            let credential = settings.withLock { $0.sealer }.relayCredential
            if let answer = await relay.relay(message, to: address, credential: credential), answer != .unknown {
                counters.relayed.add(1)
                return answer
            }
        }
        return await settleThroughLedger(token, actual)
    }

    /// Settles a reservation of this node's present session; nil when it is another's, or not this node's to decide now.
    func settleHere(_ token: ReservationToken, _ actual: Amounts?) -> SettlementOutcome? {
        let session = session
        let now = clock.now()
        guard token.session == session.id, session.maySettle(now) else { return nil }
        let time = session.ledgerTime(now)
        let result =
            actual.map { session.table.commit(token.number, actual: $0, now: time) }
            ?? session.table.release(token.number, now: time)
        switch result {
        case .done(let charged, let late, let overrun, let repeated):
            if !repeated {
                counters.committed.add(1)
                journalSettled(token, charged, of: session)
            }
            return .committed(charged: charged, late: late, overrun: overrun, repeated: repeated)
        case .released(let repeated):
            if !repeated { journalSettled(token, nil, of: session) }
            return .released
        case .conflict(.released): return .conflict("the reservation was released")
        case .conflict: return .conflict("the reservation was committed")
        case .unknown: return nil
        }
    }

    private func settleThroughLedger(_ token: ReservationToken, _ actual: Amounts?) async -> SettlementOutcome {
        let parts = Self.parts(token, actual)
        guard !parts.isEmpty else {
            return actual.map { .committed(charged: $0, late: false, overrun: false, repeated: false) } ?? .released
        }
        do {
            let (outcome, charges) = try await ledger.settle(
                session: token.session, number: token.number, parts: parts, organisation: organisation,
                durability: durability)
            counters.settledByLedger.add(1)
            guard let actual else { return .released }
            let charged = outcome == .repeat ? Self.amounts(charges, token) ?? actual : actual
            retell(token, parts)
            return .committed(
                charged: charged, late: outcome == .raised, overrun: false,
                repeated: outcome == .repeat || outcome == .counted)
        } catch {
            logger.warning("settlement pending", metadata: ["error": "\(error)"])
            return .pending
        }
    }

    private static func amounts(_ charges: [InboxEntry.Part], _ token: ReservationToken) -> Amounts? {
        var amounts = Amounts.zero
        for charge in charges {
            guard let hold = token.holds.first(where: { $0.generation == charge.key.generation }) else { return nil }
            amounts[hold.unit] = max(amounts[hold.unit], charge.charge * hold.unit.nodeScale)
        }
        return amounts
    }

    /// What was told to the ledger alone is kept for a while, to be told again should Redis lose it.
    private func retell(_ token: ReservationToken, _ parts: [SettlementPart]) {
        retries.remember(
            RetryQueue.Settlement(session: token.session, number: token.number, parts: parts, at: clock.now()))
    }

    // MARK: Relay

    func node(of session: String) -> String { session.split(separator: "~").first.map(String.init) ?? "" }

    /// Where the owner of a session can be reached, from its record in the ledger.
    private func address(of session: String) async -> String? {
        if let known = addresses.withLock({ $0[session] }) { return known.isEmpty ? nil : known }
        let reply = try? await ledger.redis.send(
            ["HGET", Ledger.prefix(organisation) + "session:" + session, "advertise"])
        guard let address = reply?.string else { return nil }
        addresses.withLock {
            if $0.count >= 4096 { $0.removeAll() }
            $0[session] = address
        }
        return address.isEmpty ? nil : address
    }

    /// Settles what another node relays; it never relays further. `unknown` makes the other node go to the ledger.
    func receive(_ message: RelayMessage) -> SettlementOutcome {
        guard let token = known(message.reservation) else { return .unknown }
        return settleHere(token, message.actual) ?? .unknown
    }

    // MARK: Status

    package func status(_ id: String) async -> ReservationStatus? {
        guard let token = open(reservation: id) else { return nil }
        guard token.session == sessionID, let entry = session.table.reservation(token.number) else {
            return ReservationStatus(token: token, state: .unknown, expiresAt: nil, charged: nil)
        }
        let state: ReservationStatus.State =
            switch entry.state {
            case .open: .open
            case .committed: .committed
            case .released: .released
            case .expired: .expired
            }
        return ReservationStatus(
            token: token, state: state, expiresAt: entry.expiresAt, charged: state == .committed ? entry.charged : nil)
    }

    // MARK: Extend

    /// Raises a reservation's hold to a new total, or only its time. After the end of a period the rest is a second hold.
    package func extend(_ id: String, _ estimate: Estimate, timeToLive: Duration) async -> ReservationOutcome {
        guard let token = known(id) else {
            return .refused(unknownAccount(ReservationRequest(account: "", estimate: estimate)))
        }
        let request = ReservationRequest(
            account: token.account, model: token.model, estimate: estimate, timeToLive: timeToLive)
        return await decide(request) { entry in
            // Numbers begin anew in every session: that of another one is a stranger's.
            guard token.session == entry.session.id, entry.session.maySettle(clock.now()),
                let open = entry.session.table.reservation(token.number), open.state == .open
            else { return .refused(notOpenHere(request)) }
            return await extend(entry, token, open, request)
        }
    }

    private func notOpenHere(_ request: ReservationRequest) -> Refusal {
        refusal(
            .notFound, nil, request, .zero, time: nowMilliseconds(),
            detail: "the reservation is not open at this node; ask the node that made it")
    }

    /// Nil: the rules in memory were out of date, try again.
    private func extend(
        _ entry: AccountEntry, _ token: ReservationToken, _ open: Reservation, _ request: ReservationRequest
    ) async -> ReservationOutcome? {
        let time = nowMilliseconds()
        let expiresAt = time + request.timeToLive.milliseconds
        if let refusal = ruleRefusal(entry, request, time: time) { return .refused(refusal) }
        guard
            let total = entry.terms(token.model, at: token.reservedAt).amounts(
                request.estimate, needsDollars: entry.needsDollars)
        else {
            return .refused(
                refusal(.unpricedModel, entry, request, .zero, time: time, detail: Self.unpriced(token.model)))
        }
        let held = open.total
        var more = Amounts.zero
        more.tokens = max(0, total.tokens - held.tokens)
        more.usd = max(0, total.usd - held.usd)
        func done(_ attempt: Attempt?) -> ReservationOutcome {
            var answer = admission(
                entry, request, token.number, amounts: total, model: token.model, time: time, attempt: attempt)
            answer.token = token
            return .admitted(answer)
        }
        if more == .zero {
            return entry.session.table.prolong(token.number, expiresAt: expiresAt)
                ? done(nil) : .refused(unknownAccount(request))
        }
        let hold = ChainHold(chain: entry.chain, amounts: more, exempt: Self.exempt(open.hold, in: entry.chain))
        let now = clock.now()
        if entry.isCurrent(time), entry.session.isFresh(now, bound: entry.chain.stalenessBound),
            entry.session.table.extend(token.number, to: hold, expiresAt: expiresAt)
        {
            return done(nil)
        }
        let attempt = attempt(entry, more, request, time: time)
        let outcome = await wait(attempt, .extend(number: token.number, expiresAt: expiresAt))
        switch outcome.result {
        case .admitted: return done(outcome.attempt)
        case .refused(.stale):
            entry.chain.retire()
            return nil
        case .refused(let reason): return .refused(refused(reason, outcome.attempt, entry, request, time: time))
        }
    }

    /// The budgets that rerouted a hold, at their places in a chain that may have changed since.
    private static func exempt(_ hold: ChainHold, in chain: Chain) -> UInt64 {
        let rerouted = Set(
            hold.chain.slots.indices.filter { hold.isExempt($0) }.map { hold.chain.slots[$0].rule.generation })
        return chain.slots.indices.reduce(0) { bits, place in
            rerouted.contains(chain.slots[place].rule.generation) ? bits | 1 << UInt64(place) : bits
        }
    }

    // MARK: Direct charges

    /// Charges what was used without a reservation. It always books; `booked` is false while only this node knows of it.
    package func charge(
        account: String, use: ActualUse, model: String?, changeID: String
    ) async -> (outcome: SettlementOutcome, booked: Bool) {
        let entry: AccountEntry
        do {
            guard let found = try await self.entry(for: account) else { return (.unknown, false) }
            entry = found
        } catch {
            guard let kept = entries[account] else { return (.pending, false) }
            entry = kept
        }
        let time = nowMilliseconds()
        let holds = entry.chain.slots.map {
            Hold(generation: $0.rule.generation, periodStart: $0.lease.key.start, unit: $0.rule.unit, amount: 0)
        }
        let token = ReservationToken(
            session: "", number: 0, account: account, model: model, reservedAt: time,
            rulesVersion: entry.chain.rulesVersion, pricesVersion: entry.pricesVersion, holds: holds)
        if case .usage(_, let other) = use, entry.needsDollars, entry.terms(other ?? model, at: time).price == nil {
            let request = ReservationRequest(account: account, model: other ?? model, estimate: Estimate())
            return (
                .refused(refusal(.unpricedModel, entry, request, .zero, time: time, detail: Self.unpriced(model))),
                false
            )
        }
        let actual = actual(use, token)
        let parts = entry.chain.slots.compactMap { slot -> SettlementPart? in
            let amount = actual[slot.rule.unit]
            guard amount > 0 else { return nil }
            return SettlementPart(
                key: slot.lease.key, charge: (amount + slot.lease.scale - 1) / slot.lease.scale, hold: 0)
        }
        let done = SettlementOutcome.committed(charged: actual, late: false, overrun: false, repeated: false)
        guard !parts.isEmpty else { return (done, true) }
        do {
            let fresh = try await ledger.charge(
                id: changeID, parts: parts, organisation: organisation, durability: durability)
            return (fresh ? done : .committed(charged: actual, late: false, overrun: false, repeated: true), true)
        } catch {
            // The same id is tried again until the ledger takes it: it books once, however often it is sent.
            guard retries.enqueue(RetryQueue.Charge(id: changeID, parts: parts)) else { return (.pending, false) }
            alarm.ring()
            return (done, false)
        }
    }
}
