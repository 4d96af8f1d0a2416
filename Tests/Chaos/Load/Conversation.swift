// What a client knows of one reservation, from its first request on.

/// One reservation and how it ended, as its client was told. Amounts in tokens.
package struct Conversation: Sendable, Hashable {
    package enum State: Sendable, Hashable {
        /// Nobody has answered the reserve for good.
        case asked
        case open
        /// Answered by 200 at a time, to a request that was sent at another.
        case committed(asked: ContinuousClock.Instant, at: ContinuousClock.Instant)
        case released
        /// The client goes away without a word; the hold expires at this time.
        case abandoned(until: ContinuousClock.Instant)
        /// The client gave up before anybody answered its commit or release.
        case unanswered
    }

    package var account: String
    /// The gateway that was asked, and the life its process was in.
    package var gateway: Int
    package var life: Int
    package var hold: Int64
    package var actual: Int64
    package var state = State.asked

    package init(account: String, gateway: Int, life: Int, hold: Int64, actual: Int64, state: State = .asked) {
        (self.account, self.gateway, self.life) = (account, gateway, life)
        (self.hold, self.actual, self.state) = (hold, actual, state)
    }
}

/// The end of a gateway's process by kill -9.
package struct Death: Sendable, Hashable {
    package var gateway: Int
    package var life: Int
    package var at: ContinuousClock.Instant

    package init(gateway: Int, life: Int, at: ContinuousClock.Instant) {
        (self.gateway, self.life, self.at) = (gateway, life, at)
    }
}
