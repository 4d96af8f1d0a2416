// What the books know of a key: everything but the key itself.

import QuotaCore

/// What a key may do.
package enum KeyRole: String, Sendable, Codable, CaseIterable, Hashable {
    /// Spends as any account at or below its own.
    case proxy
    /// Spends as its own account.
    case member
    /// Reads its account and below, decides strictly below it.
    case head
    /// Reads its account and below.
    case viewer
    /// Everything; on the root account only.
    case admin
}

/// A key as the books hold it. Times are milliseconds since 1970; the console shows them as RFC 3339.
package struct KeyRecord: Sendable, Hashable, Codable, RecordFields {
    package var id: String
    package var account: String
    package var name: String
    package var role: KeyRole
    /// The principal that the holder's requests count for.
    package var principal: String?
    /// Whom a proxy's requests count for when they name no account.
    package var defaultAccount: String?
    package var createdMilliseconds: Int64
    /// The first instant at which it is no longer valid.
    package var expiresMilliseconds: Int64?
    package var revokedMilliseconds: Int64?
    /// Of the whole text of the key, 64 lower-case hexadecimal digits.
    package var sha256: String

    package enum CodingKeys: String, CodingKey, CaseIterable, Sendable {
        case id, account, name, role, principal
        case defaultAccount = "default_account"
        case createdMilliseconds = "created_at"
        case expiresMilliseconds = "expires_at"
        case revokedMilliseconds = "revoked_at"
        case sha256
    }

    package init(
        id: String, account: String, name: String, role: KeyRole, principal: String? = nil,
        defaultAccount: String? = nil, createdMilliseconds: Int64, expiresMilliseconds: Int64? = nil,
        revokedMilliseconds: Int64? = nil, sha256: String
    ) {
        self.id = id
        self.account = account
        self.name = name
        self.role = role
        self.principal = principal
        self.defaultAccount = defaultAccount
        self.createdMilliseconds = createdMilliseconds
        self.expiresMilliseconds = expiresMilliseconds
        self.revokedMilliseconds = revokedMilliseconds
        self.sha256 = sha256
    }

    /// Whether the key is neither revoked nor expired.
    package func isValid(at milliseconds: Int64) -> Bool {
        revokedMilliseconds == nil && milliseconds < (expiresMilliseconds ?? .max)
    }

    /// What is wrong with what a user may choose; empty when nothing is.
    package func validate() -> [(pointer: String, detail: String)] {
        var problems = FieldProblems()
        problems.text(name, at: "/name", maximumBytes: 200)
        problems.text(principal, at: "/principal", maximumBytes: 256)
        problems.identifier(defaultAccount, at: "/default_account")
        if defaultAccount != nil, role != .proxy {
            problems.add("/default_account", "must be left out for \(role.rawValue)")
        }
        if let expiresMilliseconds, expiresMilliseconds <= createdMilliseconds {
            problems.add("/expires_at", "must be in the future")
        }
        return problems.list
    }
}
