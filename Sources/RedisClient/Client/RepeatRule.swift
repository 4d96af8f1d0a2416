// Which failed commands may be sent again, where and when. Only what certainly was not executed is: a lost connection
// after the command was written leaves its outcome to the caller.

import NIOCore

/// One request's attempts; without I/O and clock.
struct RepeatRule: Sendable {
    /// Where to send a request again.
    enum Place: Sendable, Hashable {
        /// To whom the request belongs by what is known then.
        case owner
        /// This node has the slot now.
        case moved(slot: Int, to: RedisConfiguration.Endpoint)
        /// This node is about to take the slot: ask it once, with ASKING.
        case asking(RedisConfiguration.Endpoint)
    }

    enum Decision: Sendable, Hashable {
        /// The reply or error is the caller's.
        case done
        case again(Place, after: Duration)
    }

    /// The most times that a request is sent.
    static let maxAttempts = 64
    /// Redirections followed at once; two nodes that point at each other must not be hammered.
    static let immediateRedirects = 3

    private var attempts = 0
    private var backoff = Backoff(min: .milliseconds(4), max: .milliseconds(200))

    /// What follows from a reply of the server that `asked` names.
    mutating func decide(
        _ outcome: Result<RESPValue, RedisError>, asked: RedisConfiguration.Endpoint?,
        using generator: inout some RandomNumberGenerator
    ) -> Decision {
        attempts += 1
        guard attempts < Self.maxAttempts, let place = Self.place(outcome, asked: asked) else { return .done }
        if place != .owner, attempts <= Self.immediateRedirects { return .again(place, after: .zero) }
        return .again(place, after: backoff.next(using: &generator))
    }

    /// nil: not to be sent again.
    private static func place(
        _ outcome: Result<RESPValue, RedisError>, asked: RedisConfiguration.Endpoint?
    ) -> Place? {
        switch outcome {
        case .failure(let error):
            let wasNotSent = error.code == .notConnected || error.code == .connectionClosed
            return wasNotSent && !error.mayHaveExecuted ? .owner : nil
        case .success(.error(let text)):
            if let redirection = Redirection(text, from: asked) {
                return redirection.isFinal
                    ? .moved(slot: redirection.slot, to: redirection.endpoint) : .asking(redirection.endpoint)
            }
            switch text.prefix(while: { $0 != " " }) {
            case "TRYAGAIN", "CLUSTERDOWN", "LOADING", "READONLY", "MASTERDOWN": return .owner
            default: return nil
            }
        case .success: return nil
        }
    }
}
