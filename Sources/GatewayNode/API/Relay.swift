// Between nodes: a commit that reached the wrong one.

import QuotaCore

/// A settlement on its way to the reservation's owner.
package struct RelayMessage: Sendable, Codable, Hashable {
    package var organisation: String
    package var reservation: String
    /// Node units; nil releases.
    package var actual: Amounts?

    package init(organisation: String, reservation: String, actual: Amounts?) {
        self.organisation = organisation
        self.reservation = reservation
        self.actual = actual
    }
}

/// Carries a settlement to the node that owns the reservation.
package protocol CommitRelay: Sendable {
    /// - Returns: nil when the owner could not be reached in time.
    func relay(_ message: RelayMessage, to address: String, credential: String) async -> SettlementOutcome?
}

/// A node alone: everything foreign goes through the ledger.
package struct NoRelay: CommitRelay {
    package init() {}
    package func relay(_ message: RelayMessage, to address: String, credential: String) async -> SettlementOutcome? {
        nil
    }
}
