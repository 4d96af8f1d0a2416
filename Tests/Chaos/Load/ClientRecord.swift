// The clients' side of the truth: every conversation, every death of a gateway, and what was answered.

import Synchronization

/// Answers by kind.
package struct AnswerCounts: Sendable, Hashable {
    package var admitted = 0
    /// 429: somebody's allowance is used up.
    package var refused = 0
    /// 503: nothing was decided.
    package var unable = 0
    /// No answer at all.
    package var silent = 0
    package var commits = 0
    /// Of these, at another gateway than the reservation's.
    package var commitsElsewhere = 0

    package var decisions: Int { admitted + refused }
}

final class ClientRecord: Sendable {
    private struct State {
        var conversations: [Conversation] = []
        var deaths: [Death] = []
        var counts = AnswerCounts()
        var lastAdmitted: [String: ContinuousClock.Instant] = [:]
        var longestGap = Duration.zero
        var surprises: [String] = []
        var surpriseCount = 0
    }

    private static let rememberedSurprises = 5
    private let state = Mutex(State())

    var counts: AnswerCounts { state.withLock { $0.counts } }
    var conversations: [Conversation] { state.withLock { $0.conversations } }
    var deaths: [Death] { state.withLock { $0.deaths } }
    /// The longest time in which no reserve of an account with allowance left was admitted, while they were asked for.
    var longestGap: Duration { state.withLock { $0.longestGap } }
    /// Answers that no fault explains, the first of them in words.
    var surprises: (count: Int, examples: [String]) { state.withLock { ($0.surpriseCount, $0.surprises) } }

    /// - Returns: its number.
    func begin(_ conversation: Conversation) -> Int {
        state.withLock { state in
            state.conversations.append(conversation)
            return state.conversations.count - 1
        }
    }

    func set(_ number: Int, _ new: Conversation.State) { state.withLock { $0.conversations[number].state = new } }

    /// The reserve was refused, or nothing was decided: there is no hold.
    func forget(_ number: Int) { state.withLock { $0.conversations[number].state = .released } }

    func count(_ change: (inout AnswerCounts) -> Void) { state.withLock { change(&$0.counts) } }

    func died(_ gateway: Int, life: Int) {
        state.withLock { $0.deaths.append(Death(gateway: gateway, life: life, at: .now)) }
    }

    func surprise(_ text: String) {
        state.withLock { state in
            state.surpriseCount += 1
            if state.surprises.count < Self.rememberedSurprises { state.surprises.append(text) }
        }
    }

    // MARK: Gaps

    /// Requests for these accounts, which have allowance left, begin now.
    func beginGaps(of accounts: [String]) {
        state.withLock { state in
            for account in accounts { state.lastAdmitted[account] = .now }
        }
    }

    func admitted(_ account: String) {
        state.withLock { state in
            state.counts.admitted += 1
            Self.closeGap(account, &state)
        }
    }

    /// Requests end: what is still a gap counts until now.
    func endGaps() {
        state.withLock { state in
            for account in state.lastAdmitted.keys { Self.closeGap(account, &state) }
            state.lastAdmitted = [:]
        }
    }

    private static func closeGap(_ account: String, _ state: inout State) {
        guard let last = state.lastAdmitted[account] else { return }
        let now = ContinuousClock.now
        state.longestGap = max(state.longestGap, now - last)
        state.lastAdmitted[account] = now
    }
}
