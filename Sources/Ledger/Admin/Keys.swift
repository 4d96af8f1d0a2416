// API keys: their records hold the hash of the secret, never the secret.

import RedisClient

extension LedgerScript {
    static let keyPut = assemble("key_put", PackageResources.key_put_lua)
    static let keyRotate = assemble("key_rotate", PackageResources.key_rotate_lua)
    static let keyRevoke = assemble("key_revoke", PackageResources.key_revoke_lua)
    static let keyGet = assemble("key_get", PackageResources.key_get_lua)
    static let keysList = assemble("keys_list", PackageResources.keys_list_lua)
}

/// An API key as the books have it.
package struct KeyRow: Sendable, Hashable {
    package var id: String
    package var account: String
    package var version: Int64
    /// When it was revoked, ms; nil while it is valid.
    package var revokedAt: Int64?
    /// JSON.
    package var record: String

    init(_ text: [String]) {
        id = text[0]
        account = text[1]
        version = Int64(text[2]) ?? 0
        revokedAt = text[3] == "0" ? nil : Int64(text[3])
        record = text[4]
    }
}

extension Ledger {
    /// Stores a new key.
    ///
    /// - Throws: `.conflict` when the id is in use, the account is archived or has a thousand valid keys.
    package func putKey(
        _ key: String, account: String, record: String, change: Change, organisation: String
    ) async throws(LedgerError) -> Written {
        try await write(LedgerScript.keyPut, change, [account, key, record], organisation: organisation)
    }

    /// Puts a new key in the place of a valid one, which is revoked. `oldRecord`, which says so to the nodes, replaces
    /// the record of the old one.
    ///
    /// - Throws: `.conflict` when the old one is revoked or the new id is in use.
    package func rotateKey(
        _ key: String, to new: String, record: String, oldRecord: String, change: Change, organisation: String
    ) async throws(LedgerError) -> Written {
        try await writeDurably(
            LedgerScript.keyRotate, change, [key, new, record, oldRecord], organisation: organisation)
    }

    /// Ends a key for good. `record`, which says so to the nodes, replaces its record.
    ///
    /// - Throws: `.conflict` when it is revoked.
    package func revokeKey(
        _ key: String, record: String, change: Change, organisation: String
    ) async throws(LedgerError) -> Written {
        try await writeDurably(LedgerScript.keyRevoke, change, [key, record], organisation: organisation)
    }

    package func key(_ key: String, organisation: String) async throws(LedgerError) -> KeyRow {
        let reply = try await run(LedgerScript.keyGet, organisation: organisation, [key])
        guard let text = reply.texts(atLeast: 5) else { throw LedgerError.unexpected("key_get", reply) }
        return KeyRow(text)
    }

    /// A page of an account's keys by id, revoked ones too.
    package func keys(
        account: String, after cursor: String? = nil, limit: Int = 100, organisation: String
    ) async throws(LedgerError) -> LedgerPage<KeyRow> {
        let reply = try await run(
            LedgerScript.keysList, organisation: organisation, [account, cursor ?? "", String(limit)])
        return try Self.page(LedgerScript.keysList, reply, of: 5, KeyRow.init)
    }
}
