// The times of a session, all in milliseconds.

/// Limits and intervals of a session. The defaults are the contract's.
package struct SessionTiming: Sendable, Hashable {
    /// Between two exchanges when something is going on.
    package var interval: Int64 = 250
    /// Between two exchanges of a session with nothing to tell.
    package var quietInterval: Int64 = 1000
    package var timeToLive: Int64 = 3000
    /// How old the last answer may be for `outage: deny`.
    package var maxStaleness: Int64 = 5000
    /// Leftovers go back within this.
    package var leftoverWait: Int64 = 50
    package var recallWait: Int64 = 50
    /// A request waits at most this long for a grant.
    package var waiterTimeout: Int64 = 1000
    /// A message without an answer for this long is given up; the next one carries everything anew.
    package var exchangeTimeout: Int64 = 1000
    /// Idle slices go back after this.
    package var idleReturn: Int64 = 3000
    /// What Redis may lose (D): nothing is forgotten until two answers of one history further apart confirm it.
    package var redisLoss: Int64 = 2000
    /// Requests that may wait for a grant at once.
    package var maximumWaiters = 4096

    package init() {}
}
