// Where the probers of all gateways report, and where a drill waits until the last one has seen a change.

import Synchronization

/// The answers of all gateways, behind one lock.
final class ProbeBoard: Sendable {
    /// Unexpected answers are told apart up to so many.
    private static let maximumReasons = 20

    private struct State {
        var turn: Turn?
        var over: AsyncStream<Void>.Continuation?
        var probes = 0
        var others: [String: Int] = [:]
    }

    private let state = Mutex(State())

    /// Questions that were answered.
    var probes: Int { state.withLock { $0.probes } }

    /// Answers that belong to no drill, and questions without an answer.
    var others: [String: Int] { state.withLock { $0.others } }

    /// Begins a turn; the one before is over.
    ///
    /// - Returns: a stream that ends when all gateways have turned.
    func begin(_ turn: Turn) -> AsyncStream<Void> {
        let (stream, over) = AsyncStream<Void>.makeStream()
        let before = state.withLock { state in
            defer { (state.turn, state.over) = (turn, over) }
            return state.over
        }
        before?.finish()
        return stream
    }

    /// The turn as it stands, which takes no more answers.
    func end() -> Turn? {
        let (turn, over) = state.withLock { state in
            defer { (state.turn, state.over) = (nil, nil) }
            return (state.turn, state.over)
        }
        over?.finish()
        return turn
    }

    func record(_ probe: Probe, gateway: Int) {
        let over = state.withLock { state -> AsyncStream<Void>.Continuation? in
            if case .other(let reason) = probe.answer {
                let isKnown = state.others[reason] != nil || state.others.count < Self.maximumReasons
                state.others[isKnown ? reason : "other", default: 0] += 1
            } else {
                state.probes += 1
            }
            state.turn?.record(probe, gateway: gateway)
            guard state.turn?.isOver == true else { return nil }
            defer { state.over = nil }
            return state.over
        }
        over?.finish()
    }
}
