// Figures about one client, for metrics.

/// Counters since the client was made, and one gauge.
package struct RedisStatistics: Sendable, Hashable {
    /// Commands handed to a connection.
    package var commandsSent: UInt64 = 0
    /// Commands whose reply is still to come, those that nobody waits for any more included.
    package var inFlight = 0
    /// Connections made after the first.
    package var reconnects: UInt64 = 0
    /// Commands in flight that saw no reply before their deadline.
    package var timeouts: UInt64 = 0
    /// MOVED and ASK answers followed, in a cluster.
    package var redirects: UInt64 = 0

    static func + (left: Self, right: Self) -> Self {
        var sum = left
        sum.commandsSent += right.commandsSent
        sum.inFlight += right.inFlight
        sum.reconnects += right.reconnects
        sum.timeouts += right.timeouts
        sum.redirects += right.redirects
        return sum
    }
}
