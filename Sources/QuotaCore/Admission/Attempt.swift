// One request on its way through the ladder: what it still needs, what refused it, which model it may use.

import Synchronization

/// What a request would cost on another model.
package enum RerouteTerms: Sendable {
    case amounts(Amounts)
    case notAllowed
    case unpriced
}

/// A request that is being decided. Ceilings are judged for this request alone: another may still fit.
package struct Attempt: Sendable {
    package enum Verdict: Sendable, Hashable {
        /// The slices suffice: take them.
        case take
        /// The ledger must grant this first.
        case ask([Need])
        /// Refused by the budgets at these places of the chain.
        case exhausted([Int])
    }

    package private(set) var chain: Chain
    package private(set) var amounts: Amounts
    package private(set) var model: String?
    /// Budgets that rerouted the request: it is not charged to them.
    package private(set) var exempt: UInt64 = 0
    /// Budgets whose throttle was reached: the request takes one of their rate.
    package private(set) var throttled: UInt64 = 0
    private var levels: [UInt8]
    /// Terms of a reroute target for this account; asks the price book and the allow-lists.
    package let terms: @Sendable (String) -> RerouteTerms

    package init(
        chain: Chain, amounts: Amounts, model: String?, terms: @escaping @Sendable (String) -> RerouteTerms
    ) {
        self.chain = chain
        self.amounts = amounts
        self.model = model
        self.terms = terms
        self.levels = Array(repeating: 0, count: chain.slots.count)
    }

    package var hold: ChainHold { ChainHold(chain: chain, amounts: amounts, exempt: exempt) }
    package var isRerouted: Bool { exempt != 0 }
    /// Decided by the ladder, not by slices alone: `admit`'s gate does not apply.
    var usesLadder: Bool { exempt != 0 || throttled != 0 }

    private func has(_ bits: UInt64, _ index: Int) -> Bool { bits & (1 << UInt64(index)) != 0 }

    /// Decides as far as this session can, from its slices and the refusals it knows.
    package mutating func evaluate() -> Verdict {
        // Each round reaches at least one more step of some budget, so this ends.
        while true {
            var needs: [Need] = []
            var short: (index: Int, amount: Int64)?
            for index in chain.slots.indices {
                let lease = chain.slots[index].lease
                let token = has(throttled, index)
                let amount = has(exempt, index) ? 0 : amounts[lease.unit]
                if amount == 0 && !token { continue }
                let level = Int(levels[index])
                let lacking = lackingInBook(lease, amount: amount, level: level)
                if lacking > 0, let floor = lease.figures.floors[level], lacking >= floor {
                    short = (index, lacking)
                    break
                }
                if lacking > 0 || token {
                    needs.append(Need(key: lease.key, amount: lacking, level: level, token: token))
                }
            }
            guard let found = short else { return needs.isEmpty ? .take : .ask(needs) }
            if let refusal = climb(found.index, lacking: found.amount) { return refusal }
        }
    }

    /// The ledger refused the needs on these leases; their steps are reached.
    package mutating func refused(_ keys: [LeaseKey]) -> Verdict? {
        for index in chain.slots.indices where keys.contains(chain.slots[index].lease.key) && !has(exempt, index) {
            let lease = chain.slots[index].lease
            let lacking = lackingInBook(lease, amount: amounts[lease.unit], level: Int(levels[index]))
            if let refusal = climb(index, lacking: max(lacking, 1)) { return refusal }
        }
        return nil
    }

    /// What is missing for this request at a level, in book units, rounded up.
    private func lackingInBook(_ lease: Lease, amount: Int64, level: Int) -> Int64 {
        if amount == 0 { return 0 }
        // Above the lowest ceiling a slice is money of a higher step: a request below it must not use it.
        let gated = level == 0 && lease.gated.load(ordering: .relaxed)
        let missing = gated ? amount : amount - max(0, lease.slice)
        return missing <= 0 ? 0 : (missing + lease.scale - 1) / lease.scale
    }

    /// Reaches the step at a budget's present level.
    private mutating func climb(_ index: Int, lacking: Int64) -> Verdict? {
        let slot = chain.slots[index]
        let figures = slot.lease.figures
        let level = Int(levels[index])
        guard level < figures.ceilings.count else { return .exhausted([index]) }
        switch figures.ceilings[level].kind {
        case .throttle:
            levels[index] += 1
            throttled |= 1 << UInt64(index)
            return nil
        case .reroute: return reroute(index, figures, level: level, lacking: lacking)
        case .block, .warn: return .exhausted([index])
        }
    }

    private mutating func reroute(_ index: Int, _ figures: LeaseFigures, level: Int, lacking: Int64) -> Verdict? {
        // A later step may be reached by the same request: a block refuses it, a throttle applies beside the reroute.
        for later in (level + 1)..<max(level + 1, figures.ceilings.count) {
            guard lacking > figures.ceilings[later].amount - figures.committed else { break }
            switch figures.ceilings[later].kind {
            case .block: return .exhausted([index])
            case .throttle:
                throttled |= 1 << UInt64(index)
                levels[index] = UInt8(later + 1)
            case .reroute, .warn: break
            }
        }
        guard
            let target = chain.slots[index].rule.steps.filter({ $0.kind == .reroute }).dropFirst(
                figures.ceilings[..<level].filter { $0.kind == .reroute }.count
            ).first?.model
        else { return .exhausted([index]) }
        exempt |= 1 << UInt64(index)
        if target == model { return nil }
        guard case .amounts(let cost) = terms(target) else { return .exhausted([index]) }
        model = target
        amounts = cost
        // With other amounts every other budget is judged anew.
        for other in levels.indices where !has(exempt, other) {
            levels[other] = 0
            throttled &= ~(1 << UInt64(other))
        }
        return nil
    }
}
