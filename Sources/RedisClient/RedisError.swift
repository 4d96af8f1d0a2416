// The one error of this target: what failed, in words for people, and whether the command may have run.

/// A failed command or connection.
package struct RedisError: Error, Sendable {
    /// What kind of failure it is; callers decide by this alone.
    package enum Code: String, Sendable, Hashable {
        /// The configuration can't work: a wrong URL, an unreadable certificate.
        case configuration
        /// There was no connection until the deadline, or the client has stopped. Nothing was sent.
        case notConnected
        /// The connection broke while the command was in flight.
        case connectionClosed
        /// No reply before the deadline.
        case timeout
        /// As many commands as allowed are in flight or waiting. Nothing was sent.
        case queueFull
        /// The server answered with an error; ``RedisError/message`` is its text.
        case server
        /// The script was executed, but its effects have not reached the replicas or the disk that they must reach.
        case notDurable
        /// Bytes that are not RESP2, or a message beyond the limits. The connection is closed.
        case protocolViolation
        /// The caller's task was cancelled.
        case cancelled
    }

    package var code: Code
    package var message: String
    package var cause: (any Error)?
    /// Whether the server may have executed the command: it was handed to the connection and no reply was seen.
    package var mayHaveExecuted: Bool

    package init(_ code: Code, _ message: String, cause: (any Error)? = nil, mayHaveExecuted: Bool = false) {
        self.code = code
        self.message = message
        self.cause = cause
        self.mayHaveExecuted = mayHaveExecuted
    }

    /// The first word of a server's error, such as `NOSCRIPT` or `OOM`; nil for every other code.
    package var serverCode: String? {
        guard code == .server else { return nil }
        return String(message.prefix { $0 != " " })
    }
}

extension RedisError: CustomStringConvertible {
    package var description: String {
        let reason = cause.map { " (\($0))" } ?? ""
        return "\(code.rawValue): \(message)\(reason)"
    }
}
