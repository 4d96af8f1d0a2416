// All counts of a run, behind one lock: a denial must see the sums and the open holds of one moment.

import Histogram
import Synchronization

/// Counts of the whole run.
package struct LoadCounts: Sendable {
    /// Requests of the plan whose time came.
    package var sent = 0
    /// Requests that had to wait because too many were in flight.
    package var late = 0
    package var decisions = 0
    package var admitted = 0
    package var rerouted = 0
    /// Answers other than admissions, by their code.
    package var denials: [String: Int] = [:]
    /// Reservations without an answer, by the reason that the client saw.
    package var unanswered: [String: Int] = [:]
    package var acknowledged = 0
    /// Acknowledged by another gateway than the one that reserved.
    package var acknowledgedElsewhere = 0
    /// Commits sent again.
    package var commitRetries = 0
    /// Commits that were never acknowledged, by the last reason.
    package var unacknowledged: [String: Int] = [:]
    /// Commits whose answer charged other tokens than were reported.
    package var wrongCharges = 0
    package var inFlight = 0
    /// When the last decision came, since the start.
    package var lastDecision = Duration.zero

    package init() {}

    package var unansweredTotal: Int { unanswered.values.reduce(0, +) }

    package var unacknowledgedTotal: Int { unacknowledged.values.reduce(0, +) }
}

/// Where every request reports what became of it.
final class Scoreboard: Sendable {
    /// Beyond this everything counts as this: an hour.
    private static let maximumLatencyMicroseconds: UInt64 = 3_600_000_000
    /// Denials are remembered for so many budgets.
    private static let maximumBudgets = 10_000
    /// Reasons are told apart up to so many.
    private static let maximumReasons = 20

    /// What the clients knew when a budget first refused.
    struct FirstDenial: Sendable {
        /// When the refused request was due.
        var offset: Duration
        /// Of all accounts.
        var tallies: [Tally]
    }

    struct State {
        var counts = LoadCounts()
        var tallies: [Tally]
        /// Of every budget that answered `budget_exhausted`.
        var firstDenials: [BudgetName: FirstDenial] = [:]
        var decisionLatency = Histogram<UInt64>(highestTrackableValue: maximumLatencyMicroseconds)
        var commitLatency = Histogram<UInt64>(highestTrackableValue: maximumLatencyMicroseconds)
    }

    private let state: Mutex<State>

    init(accounts: Int) {
        state = Mutex(State(tallies: Array(repeating: Tally(), count: accounts)))
    }

    var counts: LoadCounts { state.withLock { $0.counts } }

    var snapshot: State { state.withLock { $0 } }

    func began(late: Bool) {
        state.withLock {
            $0.counts.sent += 1
            $0.counts.inFlight += 1
            if late { $0.counts.late += 1 }
        }
    }

    func ended() { state.withLock { $0.counts.inFlight -= 1 } }

    /// - Parameter at: since the start of the run.
    func admitted(_ arrival: Arrival, isRerouted: Bool, latency: Duration, at: Duration) {
        state.withLock {
            Self.decided(&$0, latency: latency, at: at)
            $0.counts.admitted += 1
            // An admission that was asked for before the refused request, and only answered after it, was held already.
            for budget in $0.firstDenials.keys where arrival.offset < $0.firstDenials[budget]?.offset ?? .zero {
                $0.firstDenials[budget]?.tallies[arrival.account].openTokens += arrival.estimatedTokens
                $0.firstDenials[budget]?.tallies[arrival.account].openRequests += 1
            }
            $0.tallies[arrival.account].openTokens += arrival.estimatedTokens
            $0.tallies[arrival.account].openRequests += 1
            if isRerouted {
                $0.counts.rerouted += 1
                $0.tallies[arrival.account].reroutedRequests += 1
            }
        }
    }

    func refused(
        _ arrival: Arrival, code: String, isDecision: Bool, by budgets: [BudgetName], latency: Duration, at: Duration
    ) {
        state.withLock {
            if isDecision { Self.decided(&$0, latency: latency, at: at) }
            $0.counts.denials[code, default: 0] += 1
            guard code == "budget_exhausted" else { return }
            for budget in budgets where $0.firstDenials[budget] == nil {
                guard $0.firstDenials.count < Self.maximumBudgets else { return }
                $0.firstDenials[budget] = FirstDenial(offset: arrival.offset, tallies: $0.tallies)
            }
        }
    }

    /// No answer: a hold may exist, and be charged when it expires.
    func unanswered(_ arrival: Arrival, reason: String) {
        state.withLock {
            let isKnown = $0.counts.unanswered[reason] != nil || $0.counts.unanswered.count < Self.maximumReasons
            $0.counts.unanswered[isKnown ? reason : "other", default: 0] += 1
            $0.tallies[arrival.account].uncertainTokens += arrival.estimatedTokens
            $0.tallies[arrival.account].uncertainRequests += 1
        }
    }

    func retried() { state.withLock { $0.counts.commitRetries += 1 } }

    func acknowledged(
        _ arrival: Arrival, chargedTokens: Int64?, nanoDollars: Int64, latency: Duration, isElsewhere: Bool
    ) {
        state.withLock {
            $0.counts.acknowledged += 1
            if isElsewhere { $0.counts.acknowledgedElsewhere += 1 }
            if let chargedTokens, chargedTokens != arrival.realTokens { $0.counts.wrongCharges += 1 }
            Self.record(latency, in: &$0.commitLatency)
            let account = arrival.account
            Self.closed(&$0.tallies[account], arrival)
            $0.tallies[account].acknowledgedTokens += arrival.realTokens
            $0.tallies[account].acknowledgedNanoDollars += nanoDollars
            $0.tallies[account].acknowledgedRequests += 1
            $0.tallies[account].overrunTokens += max(0, arrival.realTokens - arrival.estimatedTokens)
        }
    }

    func notAcknowledged(_ arrival: Arrival, reason: String) {
        state.withLock {
            $0.counts.unacknowledged[reason, default: 0] += 1
            Self.closed(&$0.tallies[arrival.account], arrival)
            $0.tallies[arrival.account].uncertainTokens += max(arrival.realTokens, arrival.estimatedTokens)
            $0.tallies[arrival.account].uncertainRequests += 1
            $0.tallies[arrival.account].overrunTokens += max(0, arrival.realTokens - arrival.estimatedTokens)
        }
    }

    private static func closed(_ tally: inout Tally, _ arrival: Arrival) {
        tally.openTokens -= arrival.estimatedTokens
        tally.openRequests -= 1
        precondition(tally.openRequests >= 0, "every settlement belongs to one admission")
    }

    private static func decided(_ state: inout State, latency: Duration, at: Duration) {
        state.counts.decisions += 1
        state.counts.lastDecision = max(state.counts.lastDecision, at)
        record(latency, in: &state.decisionLatency)
    }

    private static func record(_ latency: Duration, in histogram: inout Histogram<UInt64>) {
        _ = histogram.record(min(latency.inMicroseconds, maximumLatencyMicroseconds))
    }
}
