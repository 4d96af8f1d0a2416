// The arithmetic of a drill: when every gateway has turned to a change, counted from the console's answer. No I/O and no
// clock: tests give the times.

/// What a gateway said.
enum ProbeAnswer: Sendable, Hashable {
    case admitted
    /// 403 `account_blocked`.
    case blocked
    /// 429 `budget_exhausted`.
    case exhausted
    /// Anything else, or no answer at all.
    case other(String)
}

/// One question to one gateway.
struct Probe: Sendable {
    var sent: ContinuousClock.Instant
    var arrived: ContinuousClock.Instant
    var answer: ProbeAnswer
}

/// One change of a rule, and what each gateway says meanwhile.
struct Turn: Sendable {
    struct Figures: Sendable, Hashable {
        /// From the console's answer to the last gateway's first answer that follows the change; never negative,
        /// although the news may be faster than the console.
        var last: Duration
        /// From the console's answer until the last request left that was sent after it and met the old rule all the
        /// same; nil when there was none. What a caller surely saw, without the time of any answer.
        var lastSentTooLate: Duration?
        /// Questions that were sent after their gateway had turned, and met the old rule again.
        var relapses: Int
    }

    private struct Gateway: Sendable {
        var turned: ContinuousClock.Instant?
        var lastSentInVain: ContinuousClock.Instant?
        var relapses = 0
    }

    let expected: ProbeAnswer
    /// What the old rule answers.
    let old: ProbeAnswer
    let begin: ContinuousClock.Instant
    private var gateways: [Gateway]

    init(from old: ProbeAnswer, to expected: ProbeAnswer, gateways: Int, begin: ContinuousClock.Instant) {
        self.old = old
        self.expected = expected
        self.begin = begin
        self.gateways = Array(repeating: Gateway(), count: gateways)
    }

    /// Questions from before the turn tell nothing.
    mutating func record(_ probe: Probe, gateway: Int) {
        guard probe.sent >= begin else { return }
        if probe.answer == expected {
            if gateways[gateway].turned == nil { gateways[gateway].turned = probe.arrived }
        } else if probe.answer == old {
            gateways[gateway].lastSentInVain = probe.sent
            if let turned = gateways[gateway].turned, probe.sent >= turned { gateways[gateway].relapses += 1 }
        }
    }

    /// The gateways, by their place, that have not turned yet.
    var waiting: [Int] { gateways.indices.filter { gateways[$0].turned == nil } }

    var isOver: Bool { gateways.allSatisfy { $0.turned != nil } }

    /// - Parameter answered: when the console's answer had arrived.
    /// - Returns: nil while a gateway has not turned.
    func figures(answered: ContinuousClock.Instant) -> Figures? {
        guard isOver else { return nil }
        let last = gateways.compactMap(\.turned).max() ?? answered
        let vain = gateways.compactMap(\.lastSentInVain).max()
        return Figures(
            last: max(.zero, last - answered),
            lastSentTooLate: vain.flatMap { $0 > answered ? $0 - answered : nil },
            relapses: gateways.reduce(0) { $0 + $1.relapses })
    }
}
