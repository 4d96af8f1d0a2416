// What a subscription yields.

/// An event of a subscription.
package enum RedisPush: Sendable, Hashable {
    /// From here on messages arrive; what was published before may be lost. Yielded after every (re)subscribe and
    /// whenever messages were dropped because the reader was too slow: the moment to look at the truth again.
    case subscribed
    case message(channel: String, payload: String)
}
