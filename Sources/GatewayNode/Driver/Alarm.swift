// Wakes one waiting loop, at a time or by a call.

import Synchronization

/// One loop waits, anyone rings. A ring while nobody waits is remembered.
final class Alarm: Sendable {
    private struct State {
        var rung = false
        var waiting: CheckedContinuation<Void, Never>?
        var turn: UInt64 = 0
    }
    private let state = Mutex(State())

    func ring() {
        let waiting = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard let waiting = state.waiting else {
                state.rung = true
                return nil
            }
            state.waiting = nil
            state.turn += 1
            return waiting
        }
        waiting?.resume()
    }

    /// Returns after so many milliseconds, or at once when it rings.
    func wait(milliseconds: Int64) async {
        guard milliseconds > 0 else { return }
        let turn = state.withLock { $0.turn }
        let timer = Task {
            try? await Task.sleep(for: .milliseconds(milliseconds))
            if !Task.isCancelled { self.expire(turn) }
        }
        await withCheckedContinuation { continuation in
            let now = state.withLock { state -> Bool in
                if state.rung {
                    state.rung = false
                    state.turn += 1
                    return true
                }
                state.waiting = continuation
                return false
            }
            if now { continuation.resume() }
        }
        timer.cancel()
    }

    private func expire(_ turn: UInt64) {
        let waiting = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard state.turn == turn, let waiting = state.waiting else { return nil }
            state.waiting = nil
            state.turn += 1
            return waiting
        }
        waiting?.resume()
    }
}
