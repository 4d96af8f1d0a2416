// One request's way: reserve at its time, think as long as the model would generate, commit until acknowledged.

/// Leads requests through the gateways and reports to the scoreboard.
struct Conversation: Sendable {
    private static let firstBackoff = Duration.milliseconds(25)
    private static let longestBackoff = Duration.seconds(1)
    /// Characters of an error that are kept.
    private static let longestReason = 100

    let gateways: [GatewayClient]
    let attempts: Int
    let board: Scoreboard
    let start: ContinuousClock.Instant
    private let clock = ContinuousClock()

    init(gateways: [GatewayClient], attempts: Int, board: Scoreboard, start: ContinuousClock.Instant) {
        self.gateways = gateways
        self.attempts = attempts
        self.board = board
        self.start = start
    }

    /// - Parameter due: when the request was to be sent; latency counts from here.
    func run(_ arrival: Arrival, due: ContinuousClock.Instant) async {
        let answer: ReservationAnswer
        do {
            answer = try await gateways[arrival.gateway].reserve(arrival)
        } catch {
            board.unanswered(arrival, reason: String("\(error)".prefix(Self.longestReason)))
            return
        }
        let now = clock.now
        switch answer {
        case .admitted(let id, let isRerouted):
            board.admitted(arrival, isRerouted: isRerouted, latency: now - due, at: now - start)
            // When the run is cancelled the commit is still tried, and reported as not acknowledged where it fails.
            if arrival.thinkTime > .zero { try? await clock.sleep(for: arrival.thinkTime) }
            await commit(id, arrival)
        case .refused(let code, let isDecision, let budgets):
            board.refused(
                arrival, code: code, isDecision: isDecision, by: budgets, latency: now - due, at: now - start)
        }
    }

    /// A commit is idempotent and any gateway takes it, so each attempt goes to the next one.
    private func commit(_ id: String, _ arrival: Arrival) async {
        let begin = clock.now
        var backoff = Self.firstBackoff
        var reason = ""
        for attempt in 0..<attempts {
            let gateway = (arrival.commitGateway + attempt) % gateways.count
            do {
                switch try await gateways[gateway].commit(id, arrival) {
                case .committed(let tokens, let nanoDollars):
                    board.acknowledged(
                        arrival, chargedTokens: tokens, nanoDollars: nanoDollars, latency: clock.now - begin,
                        isElsewhere: gateway != arrival.gateway)
                    return
                case .refused(let why):
                    board.notAcknowledged(arrival, reason: why)
                    return
                case .again(let why): reason = why
                }
            } catch {
                reason = "no_answer"
            }
            guard attempt + 1 < attempts, !Task.isCancelled else { break }
            board.retried()
            // Half to one and a half of the step: clients that failed together don't come back together.
            try? await clock.sleep(for: backoff * Double.random(in: 0.5..<1.5))
            backoff = min(backoff * 2, Self.longestBackoff)
        }
        board.notAcknowledged(arrival, reason: reason)
    }
}
