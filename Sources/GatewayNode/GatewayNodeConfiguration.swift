// What a node is told when it starts.

import QuotaCore

/// Settings of one gateway node. The defaults are the contract's.
package struct GatewayNodeConfiguration: Sendable {
    /// Unique among the nodes; part of every session's id.
    package var nodeID: String
    /// URL at which other nodes reach this one for commits; nil when they cannot.
    package var advertise: String?
    package var timing = SessionTiming()
    /// Accounts whose rules are kept in memory.
    package var maximumAccounts = 100_000
    /// Keys kept in memory, known and unknown each.
    package var maximumKeys = 50_000
    /// Look-ups of keys that are not in memory, per second and organisation.
    package var keyLookupsPerSecond = 200
    /// An unknown key is not looked up again for this long, ms.
    package var unknownKeyTime: Int64 = 5_000
    /// Organisations served at once.
    package var maximumOrganisations = 1_000
    /// How long a goodbye may take before the process stops without it, ms.
    package var goodbyeTime: Int64 = 10_000
    /// A relay to the owner of a reservation must answer within this, ms.
    package var relayTimeout: Int64 = 200
    /// Reservations are settled by anyone for this long after they were made, ms: what the ledger remembers.
    package var settlementTime: Int64 = 2 * 86_400_000

    package init(nodeID: String, advertise: String? = nil) {
        self.nodeID = nodeID
        self.advertise = advertise
    }
}
