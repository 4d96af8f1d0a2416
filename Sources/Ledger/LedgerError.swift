// The one error of this target: why the ledger did not do what it was asked.

import RedisClient

/// Why a ledger command failed.
package struct LedgerError: Error, Sendable {
    package enum Code: Sendable, Equatable {
        /// Redis cannot be reached, or did not answer in time. The command may or may not have been carried out.
        case unavailable
        /// Carried out, but its effects have not reached in time what the organisation's durability asks for. They stay,
        /// and do not count: repeat the command.
        case notDurable
        /// The organisation has no record: an outage or a wrong name, never "no limits".
        case noOrganisation
        /// The named thing does not exist.
        case notFound
        /// The state of the books does not allow it.
        case conflict
        /// The expected version is not the present one.
        case precondition
        /// A value is wrong; `pointer` names the field (JSON pointer) where one is to blame.
        case invalid(pointer: String)
        /// Redis refused the write: out of memory, too few replicas, read-only, no permission.
        case refused
        /// The answer is not what the script promises: a bug or a foreign writer.
        case unexpectedAnswer
    }

    package let code: Code
    package let message: String
    package let cause: (any Error)?

    package init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    /// Translates what the client reports; server errors begin with one of the scripts' codes.
    init(_ error: RedisError) {
        guard error.code == .server else {
            self.init(error.code == .notDurable ? .notDurable : .unavailable, error.message, cause: error)
            return
        }
        let words = error.message.split(separator: " ", maxSplits: 1)
        let text = words.count > 1 ? String(words[1]) : error.message
        switch words.first.map(String.init) {
        case "NOORG": self.init(.noOrganisation, text, cause: error)
        case "NOTFOUND": self.init(.notFound, text, cause: error)
        case "CONFLICT": self.init(.conflict, text, cause: error)
        case "PRECONDITION": self.init(.precondition, text, cause: error)
        case "INVALID":
            let parts = text.split(separator: " ", maxSplits: 1)
            self.init(
                .invalid(pointer: parts.first.map(String.init) ?? ""), parts.count > 1 ? String(parts[1]) : text,
                cause: error)
        case "BUSY", "LOADING", "MASTERDOWN", "TRYAGAIN", "CLUSTERDOWN", "MOVED", "ASK":
            self.init(.unavailable, error.message, cause: error)
        default: self.init(.refused, error.message, cause: error)
        }
    }
}

extension LedgerError: CustomStringConvertible {
    package var description: String { "\(code): \(message)" }
}
