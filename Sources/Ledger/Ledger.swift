// The door to the books: runs a script of the ledger for one organisation.

import QuotaCore
import RedisClient

/// Runs ledger scripts. Typed commands are extensions of it, one file a command.
package struct Ledger: Sendable {
    /// What a script is told about time and server. Empty strings: it asks Redis. Simulation passes its own.
    package struct Environment: Sendable {
        package var timeMilliseconds: String
        package var runID: String
        /// A fresh random id: the name of the next history should one begin in this call.
        package var nextHistory: @Sendable () -> String

        package init(
            timeMilliseconds: String = "", runID: String = "",
            nextHistory: @escaping @Sendable () -> String = { RandomIdentifier.make() }
        ) {
            self.timeMilliseconds = timeMilliseconds
            self.runID = runID
            self.nextHistory = nextHistory
        }
    }

    package let redis: RedisClient
    package var environment: Environment

    package init(redis: RedisClient, environment: Environment = Environment()) {
        self.redis = redis
        self.environment = environment
    }

    /// The prefix of all keys of an organisation.
    package static func prefix(_ organisation: String) -> String { "bursar:{\(organisation)}:" }

    /// Runs a script on the books of an organisation.
    ///
    /// - Throws: what the script refused, or `.unavailable`, after which the outcome is unknown.
    package func run(
        _ script: RedisScript, organisation: String, _ arguments: [String], timeout: Duration? = nil
    ) async throws(LedgerError) -> RESPValue {
        let head = [environment.timeMilliseconds, environment.runID, environment.nextHistory()]
        do {
            return try await redis.eval(
                script, keys: [Self.prefix(organisation) + "meta"], arguments: head + arguments, timeout: timeout)
        } catch {
            throw LedgerError(error)
        }
    }
}

/// Random ids for histories, generations and changes: 80 bits, lower-case base 32.
package enum RandomIdentifier {
    package static func make(length: Int = 16) -> String {
        let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)
        var generator = SystemRandomNumberGenerator()
        return String(
            decoding: (0..<length).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &generator)] },
            as: UTF8.self)
    }
}
