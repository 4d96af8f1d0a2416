// The loops of one organisation: exchanges, the news, housekeeping. Thin drivers around the machine.

import Ledger
import Logging
import QuotaCore
import RedisClient
import Synchronization

extension OrganisationNode {
    /// Runs until the goodbye is complete (after `beginGoodbye`) or the task is cancelled.
    func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.watchNews() }
            group.addTask { await self.housekeep() }
            let loop = Task { await self.exchangeLoop() }
            loopTask.withLock { $0 = loop }
            await withTaskCancellationHandler {
                await loop.value
            } onCancel: {
                loop.cancel()
            }
            group.cancelAll()
        }
        let left = state.withLock { state -> [CheckedContinuation<WaiterOutcome, Never>] in
            state.stopped = true
            defer { state.continuations = [:] }
            return Array(state.continuations.values)
        }
        for continuation in left {
            continuation.resume(
                returning: WaiterOutcome(id: 0, attempt: emptyAttempt, result: .refused(.unavailable)))
        }
    }

    private var emptyAttempt: Attempt {
        let chain = Chain(account: "", path: [], slots: [], rulesVersion: 0, maxStaleness: 0)
        return Attempt(chain: chain, amounts: .zero, model: nil) { _ in .unpriced }
    }

    /// Begins to give everything back. Commits are still taken until the ledger has confirmed.
    package func beginGoodbye() {
        state.withLock { state in
            state.closing = true
            state.machine.close(now: clock.now())
        }
        alarm.ring()
    }

    // MARK: Exchange

    private func exchangeLoop() async {
        while !Task.isCancelled {
            let now = clock.now()
            if session.leftover.collect() { state.withLock { $0.machine.leftover(now: now) } }
            let message = state.withLock { state -> ExchangeMessage? in
                guard state.machine.due(now: now) <= now else { return nil }
                let message = state.machine.makeMessage(now: now)
                session.follow(state.machine)
                return message
            }
            if let message { await exchange(message, sentAt: now, past: false) }
            await exchangePast()
            let (finished, due) = state.withLock { state in
                (
                    state.closing && state.machine.phase == .ended && state.past.isEmpty,
                    min(state.machine.due(now: clock.now()), state.past.map { $0.due(now: clock.now()) }.min() ?? .max)
                )
            }
            if finished { return }
            await alarm.wait(milliseconds: min(max(due - clock.now(), 0), 1000))
        }
    }

    private func exchange(_ message: ExchangeMessage, sentAt: Int64, past: Bool) async {
        counters.exchanges.add(1)
        let origin = Ledger.Origin(node: configuration.nodeID, advertise: configuration.advertise ?? "")
        do {
            let answer = try await ledger.exchange(
                message, origin: origin, organisation: organisation, durability: durability,
                timeout: .milliseconds(configuration.timing.exchangeTimeout))
            let now = clock.now()
            let handle = session
            let (outcomes, over, adopted) = state.withLock { state -> ([WaiterOutcome], Bool, Bool) in
                if past {
                    guard let index = state.past.firstIndex(where: { $0.id == message.session }) else {
                        return ([], false, false)
                    }
                    _ = state.past[index].receive(answer, to: message.number, sentAt: sentAt, now: now)
                    if state.past[index].phase == .ended { state.past.remove(at: index) }
                    return ([], false, false)
                }
                let before = state.machine.history
                let outcomes = state.machine.receive(answer, to: message.number, sentAt: sentAt, now: now)
                if handle.id == state.machine.id { handle.follow(state.machine) }
                return (
                    outcomes, state.machine.phase == .over && !state.closing,
                    !before.isEmpty && state.machine.history != before
                )
            }
            deliver(outcomes)
            if over { startNewSession() }
            if adopted { await retellAll() }
            if answer.rulesVersion > rulesVersion.load(ordering: .relaxed) { await readNews() }
        } catch {
            counters.exchangeFailures.add(1)
            let now = clock.now()
            let outcomes = state.withLock { state -> [WaiterOutcome] in
                if past {
                    if let index = state.past.firstIndex(where: { $0.id == message.session }) {
                        state.past[index].fail(message.number, now: now)
                    }
                    return []
                }
                state.machine.fail(message.number, now: now)
                return state.machine.expireWaiters(now: now)
            }
            deliver(outcomes)
            logger.warning("exchange failed", metadata: ["error": "\(error)", "number": "\(message.number)"])
        }
    }

    /// Earlier lives say what they still know, one message each.
    private func exchangePast() async {
        let now = clock.now()
        let messages = state.withLock { state -> [ExchangeMessage] in
            state.past.indices.compactMap { index in
                state.past[index].due(now: now) <= now ? state.past[index].makeMessage(now: now) : nil
            }
        }
        for message in messages { await exchange(message, sentAt: now, past: true) }
    }

    // MARK: Housekeeping

    /// Expires reservations and waits, and repeats direct charges that the ledger has not taken.
    private func housekeep() async {
        var (shard, round) = (0, 0)
        while !Task.isCancelled {
            try? await Task.sleep(for: .milliseconds(50))
            round += 1
            if round % 100 == 0 { sweepSubLeases() }
            let now = clock.now()
            let session = session
            if !state.withLock({ $0.closing }), session.maySettle(now) {
                let ended = session.table.expire(shard: shard, now: session.ledgerTime(now), limit: 5_000)
                if !ended.isEmpty { counters.expired.add(Int64(ended.count)) }
            }
            shard = (shard + 1) & 15
            deliver(state.withLock { $0.machine.expireWaiters(now: now) })
            while !Task.isCancelled, let charge = retries.firstCharge {
                let taken = try? await ledger.charge(
                    id: charge.id, parts: charge.parts, organisation: organisation, durability: durability)
                guard taken != nil else { break }
                retries.removeFirstCharge()
            }
        }
    }

    /// Redis has lost writes: what was told to the ledger alone is told again; repeats are harmless.
    private func retellAll() async {
        await retellRules()
        for item in retries.recent(now: clock.now()) {
            _ = try? await ledger.settle(
                session: item.session, number: item.number, parts: item.parts, organisation: organisation,
                durability: durability)
        }
        logger.warning("a new history was adopted", metadata: ["organisation": "\(organisation)"])
    }
}

extension OrganisationNode {
    /// The goodbye is complete, or was given up.
    var isFinished: Bool { state.withLock { $0.stopped } }

    /// The goodbye is complete.
    var hasEnded: Bool { state.withLock { $0.machine.phase == .ended && $0.past.isEmpty } }

    /// Ends the loops without a complete goodbye: the money of this session stays committed, in doubt.
    func abort() {
        logger.error("goodbye not confirmed in time", metadata: ["organisation": "\(organisation)"])
        loopTask.withLock { $0?.cancel() }
        alarm.ring()
    }

    func acceptsRelay(_ credential: String) -> Bool { settings.withLock { $0.sealer }.acceptsRelay(credential) }
}
