// Settlement through the ledger: commits whose owner is out of reach, and charges without a reservation.

import QuotaCore
import RedisClient

extension LedgerScript {
    static let settle = assemble("settle", PackageResources.settle_lua)
    static let charge = assemble("charge", PackageResources.charge_lua)
}

/// One lease's part of a settlement, in book units.
package struct SettlementPart: Sendable, Hashable {
    package var key: LeaseKey
    package var charge: Int64
    package var hold: Int64

    package init(key: LeaseKey, charge: Int64, hold: Int64) {
        self.key = key
        self.charge = charge
        self.hold = hold
    }

    var text: String { "\(key.generation):\(key.start):\(charge):\(hold)" }
}

/// How the ledger took a settlement.
package enum LedgerSettlement: String, Sendable {
    /// The owner's session lives: it will count the commit itself.
    case kept
    case booked
    /// The owner had counted it.
    case counted
    /// Came before: the first answer stands.
    case `repeat`
    /// The ledger had settled the abandoned hold; the charge was raised to this commit's.
    case raised
}

extension Ledger {
    /// Settles a reservation of a session whose node is out of reach or whose session is over.
    package func settle(
        session: String, number: Int64, parts: [SettlementPart], organisation: String,
        durability: Durability = .relaxed, timeout: Duration? = nil
    ) async throws(LedgerError) -> (outcome: LedgerSettlement, charges: [InboxEntry.Part]) {
        let reply = try await run(
            LedgerScript.settle, organisation: organisation,
            [session, String(number), parts.map(\.text).joined(separator: " ")], durability: durability,
            timeout: timeout)
        guard let list = reply.array, list.count == 2, let word = list[0].string,
            let outcome = LedgerSettlement(rawValue: word), let text = list[1].string
        else { throw LedgerError.unexpected("settle", reply) }
        return (outcome, ExchangeAnswer.parts(text))
    }

    /// Books a charge without a reservation; a repeat of the same id books nothing.
    ///
    /// - Returns: false for a repeat.
    package func charge(
        id: String, parts: [SettlementPart], organisation: String,
        durability: Durability = .relaxed, timeout: Duration? = nil
    ) async throws(LedgerError) -> Bool {
        let reply = try await run(
            LedgerScript.charge, organisation: organisation, [id, parts.map(\.text).joined(separator: " ")],
            durability: durability, timeout: timeout)
        return reply.string == "booked"
    }
}
