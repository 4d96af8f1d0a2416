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

    /// What every script is told: the head of the books, and a key that never exists. A script touches more keys than it
    /// names, and while a cluster moves their slot some are here and some there. Such a cluster runs a script that names
    /// a missing key at neither place, so the books are never half read: they stand still until they have moved.
    static func keys(_ organisation: String) -> [String] {
        [prefix(organisation) + "meta", prefix(organisation) + "fence"]
    }

    /// Runs a script on the books of an organisation.
    ///
    /// - Parameter durability: what its effects must have reached; half of the timeout is for that.
    /// - Throws: what the script refused, or `.unavailable`, after which the outcome is unknown. Effects that have not
    ///   reached what they must stay in the books.
    package func run(
        _ script: RedisScript, organisation: String, _ arguments: [String], durability: Durability = .relaxed,
        timeout: Duration? = nil
    ) async throws(LedgerError) -> RESPValue {
        let head = [environment.timeMilliseconds, environment.runID, environment.nextHistory()]
        do {
            return try await redis.eval(
                script, keys: Self.keys(organisation), arguments: head + arguments,
                durability: durability.redis(within: (timeout ?? redis.configuration.commandTimeout) / 2),
                timeout: timeout)
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
