// An account as the node keeps it between requests: its chain, its session, the terms of its models.

import QuotaCore
import Synchronization

/// One session's life as requests see it, without the machine's lock.
final class SessionHandle: Sendable {
    let id: String
    let table: ReservationTable
    /// Ledger time minus monotonic time, ms; monotonic ms of the newest answered message and of the settling deadline.
    let ledgerOffset = Atomic<Int64>(0)
    let answeredAt = Atomic<Int64>(.min)
    /// Monotonic ms: as of when both the last answer and the rules are known.
    private let freshAsOf = Atomic<Int64>(.min)
    let deadline = Atomic<Int64>(.min)

    let leftover: Leftover

    init(id: String, table: ReservationTable, leftover: Leftover) {
        self.id = id
        self.table = table
        self.leftover = leftover
    }

    /// Takes over the times of the machine.
    func follow(_ machine: SessionMachine) {
        // Before its first answer a machine knows nothing of the ledger's time. What the session before it knew, or what the
        // ledger told with the rules, must stay: a reservation made now would otherwise be of 1970.
        if machine.answeredAt != .min { ledgerOffset.store(machine.ledgerOffset, ordering: .relaxed) }
        answeredAt.store(machine.answeredAt, ordering: .relaxed)
        freshAsOf.store(machine.freshAsOf, ordering: .relaxed)
        deadline.store(machine.maySettle(machine.deadline) ? machine.deadline : .min, ordering: .relaxed)
    }

    func ledgerTime(_ now: Int64) -> Int64 { now + ledgerOffset.load(ordering: .relaxed) }

    /// Whether requests may be admitted: the last answer and the rules are younger than the least bound on the chain.
    func isFresh(_ now: Int64, bound: Int64) -> Bool {
        SessionMachine.isFresh(asOf: freshAsOf.load(ordering: .relaxed), now: now, bound: bound)
    }

    func maySettle(_ now: Int64) -> Bool { now <= deadline.load(ordering: .relaxed) }
}

/// An account's chain in the present session. Replaced when rules, periods or the session change.
package final class AccountEntry: Sendable {
    package let chain: Chain
    let session: SessionHandle
    let needsDollars: Bool
    private let pricing: Pricing
    private let terms = Mutex<[String: ModelTerms]>([:])

    init(chain: Chain, session: SessionHandle, pricing: Pricing) {
        self.chain = chain
        self.session = session
        self.pricing = pricing
        self.needsDollars = chain.slots.contains { $0.rule.unit == .usd }
    }

    var pricesVersion: Int64 { pricing.book.version }

    /// Whether it may still decide requests at a ledger time.
    func isCurrent(_ ledgerTime: Int64) -> Bool { chain.isCurrent(ledgerTime) }

    /// The terms of a model for this account; kept, at most 256 of them.
    func terms(_ model: String?, at time: Int64) -> ModelTerms {
        let name = model ?? ""
        if let known = terms.withLock({ $0[name] }) { return known }
        let made = ModelTerms(allowed: isAllowed(model), price: pricing.price(model, at: time))
        terms.withLock { if $0.count < 256 { $0[name] = made } }
        return made
    }

    private func isAllowed(_ model: String?) -> Bool {
        guard let model else { return true }
        let name = pricing.book.resolve(model: model)
        return chain.path.allSatisfy { account in
            account.allowedModels?.contains { Pattern.matches($0, name) || Pattern.matches($0, model) } ?? true
        }
    }
}
