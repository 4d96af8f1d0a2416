// The one error of this target: what went wrong, in words for people, and the exit code that tells programs.

/// A command that did not do what it was asked to.
package struct CommandError: Error, Sendable, CustomStringConvertible {
    /// The raw value is the process's exit code.
    package enum Code: Int32, Sendable {
        case failed = 1
        /// The server denied it, or its state conflicts.
        case refused = 3
        /// The command line, environment or configuration file is wrong.
        case usage = 64
    }

    package var code: Code
    package var message: String
    package var cause: (any Error)?

    package init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    /// A server's refusal is told in full by the message already.
    package var description: String { message + (cause.map { $0 is HTTPRefusal ? "" : ": \($0)" } ?? "") }
}
