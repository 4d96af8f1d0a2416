// Accounts of the tree, and the hard block on them.

import RedisClient

extension LedgerScript {
    static let accountPut = assemble("account_put", PackageResources.account_put_lua)
    static let accountArchive = assemble("account_archive", PackageResources.account_archive_lua)
    static let accountGet = assemble("account_get", PackageResources.account_get_lua)
    static let accountsList = assemble("accounts_list", PackageResources.accounts_list_lua)
    static let blockPut = assemble("block_put", PackageResources.block_put_lua)
    static let blockDelete = assemble("block_delete", PackageResources.block_delete_lua)
}

/// An account as the books have it.
package struct AccountRow: Sendable, Hashable {
    package var id: String
    /// Empty for the root.
    package var parent: String
    package var version: Int64
    package var archived: Bool
    /// JSON of the block, empty when there is none.
    package var block: String
    /// JSON.
    package var record: String

    init(_ text: [String]) {
        id = text[0]
        parent = text[1]
        version = Int64(text[2]) ?? 0
        archived = text[3] == "1"
        block = text[4]
        record = text[5]
    }
}

extension Ledger {
    /// Makes, changes, moves or brings back an account. `parent` is empty for the root.
    ///
    /// - Throws: `.notFound` for the parent; `.conflict` for an archived parent, a cycle, a tree too deep, a moved root.
    package func putAccount(
        _ account: String, parent: String, record: String, change: Change, organisation: String
    ) async throws(LedgerError) -> Written {
        try await write(LedgerScript.accountPut, change, [account, parent, record], organisation: organisation)
    }

    /// Takes an account out of use.
    ///
    /// - Throws: `.conflict` for the root, and while it has accounts below it in use.
    package func archiveAccount(
        _ account: String, change: Change, organisation: String
    ) async throws(LedgerError) -> Written {
        try await write(LedgerScript.accountArchive, change, [account], organisation: organisation)
    }

    /// Blocks an account and all below it. The version that it expects and makes is the account's.
    package func putBlock(
        account: String, block: String, change: Change, organisation: String
    ) async throws(LedgerError) -> Written {
        try await writeDurably(LedgerScript.blockPut, change, [account, block], organisation: organisation)
    }

    /// Ends a block.
    ///
    /// - Throws: `.notFound` when the account does not exist or is not blocked itself.
    package func deleteBlock(
        account: String, change: Change, organisation: String
    ) async throws(LedgerError) -> Written {
        try await write(LedgerScript.blockDelete, change, [account], organisation: organisation)
    }

    package func account(_ account: String, organisation: String) async throws(LedgerError) -> AccountRow {
        let reply = try await run(LedgerScript.accountGet, organisation: organisation, [account])
        guard let text = reply.texts(atLeast: 6) else { throw LedgerError.unexpected("account_get", reply) }
        return AccountRow(text)
    }

    /// A page of the accounts by id, archived ones too. A page may be short, even empty, and still have a next one.
    package func accounts(
        parent: String? = nil, after cursor: String? = nil, limit: Int = 100, organisation: String
    ) async throws(LedgerError) -> LedgerPage<AccountRow> {
        let reply = try await run(
            LedgerScript.accountsList, organisation: organisation, [cursor ?? "", String(limit), parent ?? ""])
        return try Self.page(LedgerScript.accountsList, reply, of: 6, AccountRow.init)
    }
}
