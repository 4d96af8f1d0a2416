// The one error of this target: why a run can't start or can't be finished. A broken guarantee is no error, it is the
// report's verdict.

/// A run that can't be made.
package struct LoadError: Error, Sendable, CustomStringConvertible {
    package enum Code: String, Sendable, Hashable {
        /// An option is missing or out of range.
        case options
        /// The trace can't be read; the message names the line.
        case trace
        /// The file with the key can't be read or holds no key.
        case key
        /// The console refused, or its answer can't be understood.
        case console
        /// Redis can't be reached or doesn't tell its statistics.
        case redis
        /// The gateways are not in the state that a drill begins with.
        case drill
        /// The report can't be written.
        case output
    }

    package var code: Code
    package var message: String
    package var cause: (any Error)?

    package init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    package var description: String { message + (cause.map { ": \($0)" } ?? "") }
}
