// Who asks: the result of looking a key up.

/// What a key may do; words of the contract.
package enum Role: String, Sendable, Codable, CaseIterable {
    case proxy, member, head, viewer, admin
}

/// The holder of a valid key.
package struct Caller: Sendable, Hashable {
    package var organisation: String
    package var keyID: String
    package var role: Role
    package var account: String
    package var principal: String?
    package var defaultAccount: String?
    /// A commit is accepted under a revoked key: the reservation id is the capability.
    package var revoked: Bool

    package init(
        organisation: String, keyID: String, role: Role, account: String, principal: String? = nil,
        defaultAccount: String? = nil, revoked: Bool = false
    ) {
        self.organisation = organisation
        self.keyID = keyID
        self.role = role
        self.account = account
        self.principal = principal
        self.defaultAccount = defaultAccount
        self.revoked = revoked
    }
}

package enum Authentication: Sendable {
    case caller(Caller)
    case unknown
    /// The ledger could not be asked.
    case unavailable
}
