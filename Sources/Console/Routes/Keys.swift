// API keys: made, replaced and revoked. The ledger holds their hash; a key is shown once, in the answer that makes it.

import HTTPSupport
import HTTPTypes
import Ledger
import NIOCore
import QuotaCore

extension Console {
    var keyRoutes: [Route] {
        let all = "/api/v1/accounts/{account}/keys"
        return [
            Route(
                .post, all, name: "createKey", summary: "Makes a key. Its text is shown in this answer only.",
                body: "KeyBody", parameters: [.idempotencyKey],
                successes: [Success(201, "The key.", schema: "NewKey")], problems: [409], handler: createKey),
            Route(
                .get, all, name: "listKeys", summary: "An account's keys, revoked ones too, by id.",
                parameters: Parameter.page, successes: [Success(200, "A page of keys.", schema: "KeyList")],
                handler: listKeys),
            Route(
                .get, all + "/{key}", name: "getKey", summary: "One key, without its text.",
                successes: [Success(200, "The key.", schema: "Key")], handler: getKey),
            Route(
                .post, all + "/{key}/rotate", name: "rotateKey",
                summary: "Puts a new key in the place of one, which is revoked. The new text is shown once.",
                parameters: [.idempotencyKey, .ifMatch],
                successes: [Success(201, "The new key.", schema: "NewKey")], problems: [409], handler: rotateKey),
            Route(
                .delete, all + "/{key}", name: "revokeKey", summary: "Revokes a key on every node.",
                parameters: [.ifMatch], successes: [Success(204, "It is revoked.")], problems: [409],
                handler: revokeKey),
        ]
    }

    private func createKey(_ call: Call) async throws -> Answer {
        try call.noQuery()
        let visitor = try await admit(call)
        let account = try call.identifier("account")
        _ = try await path(of: account, for: visitor, to: .decide)
        let bytes = try await call.body()
        return try await idempotency.run(call, credential: visitor.credential, body: bytes) {
            let body = try KeyBody.decode(bytes)
            try require(visitor, mayHandle: body.role)
            if body.role == .admin, account != visitor.organisation {
                throw Problem.invalid("/role", "must not be admin: only keys of the root account can be")
            }
            if let own = body.defaultAccount {
                let path = try await ledger.resolve(account: own, organisation: visitor.organisation)
                guard path.accounts.contains(where: { $0.id == account }) else {
                    throw Problem.invalid("/default_account", "must be at or below the key's account")
                }
            }
            let now = try await ledger.organisation(visitor.organisation).now
            let (key, text) = APIKey.generate(organisation: visitor.organisation)
            let record = KeyRecord(
                id: key.id, account: account, name: body.name, role: body.role, principal: body.principal,
                defaultAccount: body.defaultAccount, createdMilliseconds: now, expiresMilliseconds: body.expiresAt,
                sha256: key.sha256Hex)
            try RecordBody.check(record.validate())
            let stored = try RecordCoding.json(record)
            let written = try await write(visitor) { ledger, change in
                try await ledger.putKey(
                    key.id, account: account, record: stored, change: change, organisation: visitor.organisation)
            }
            return Self.newKey(record, text, version: written.version)
        }
    }

    private static func newKey(_ record: KeyRecord, _ text: String, version: Int64) -> Answer {
        .json(.created, headers: .entityTag(version)) { json in
            json.field("key", text)
            json.key(record, version: version)
        }
    }

    private func listKeys(_ call: Call) async throws -> Answer {
        let page = try call.query { (query) throws(Problem) in try Page(&query) }
        let visitor = try await admit(call)
        let account = try call.identifier("account")
        _ = try await path(of: account, for: visitor, to: .read)
        let list = try await ledger.keys(
            account: account, after: page.position, limit: page.limit, organisation: visitor.organisation)
        let shown = try list.items.map { (row) throws(LedgerError) in (row: row, record: try Self.record(row)) }
        return Page.answer(shown, next: list.next) { json, item in
            json.object { $0.key(item.record, version: item.row.version) }
        }
    }

    private func getKey(_ call: Call) async throws -> Answer {
        try call.noQuery()
        let visitor = try await admit(call)
        let (row, record) = try await key(call, for: visitor, to: .read)
        return .json(headers: .entityTag(row.version)) { $0.key(record, version: row.version) }
    }

    private func rotateKey(_ call: Call) async throws -> Answer {
        try call.noQuery()
        let visitor = try await admit(call)
        return try await idempotency.run(call, credential: visitor.credential, body: ByteBuffer()) {
            let (row, old) = try await key(call, for: visitor, to: .decide)
            try require(visitor, mayHandle: old.role)
            let expected = try EntityTag.check(call.headers, version: row.version)
            if row.revokedAt != nil { throw Problem.conflict("The key is revoked.") }
            let now = try await ledger.organisation(visitor.organisation).now
            let (key, text) = APIKey.generate(organisation: visitor.organisation)
            var record = old
            record.id = key.id
            record.createdMilliseconds = now
            record.sha256 = key.sha256Hex
            try RecordBody.check(record.validate())
            var replaced = old
            replaced.revokedMilliseconds = now
            let (new, before) = (try RecordCoding.json(record), try RecordCoding.json(replaced))
            let written = try await write(visitor, expecting: expected) { ledger, change in
                try await ledger.rotateKey(
                    row.id, to: key.id, record: new, oldRecord: before, change: change,
                    organisation: visitor.organisation)
            }
            doorkeeper.keys.forget(row.id, organisation: visitor.organisation)
            return Self.newKey(record, text, version: written.version)
        }
    }

    private func revokeKey(_ call: Call) async throws -> Answer {
        try call.noQuery()
        let visitor = try await admit(call)
        let (row, old) = try await key(call, for: visitor, to: .decide)
        try require(visitor, mayHandle: old.role)
        let expected = try EntityTag.check(call.headers, version: row.version)
        if row.revokedAt != nil { return .noContent }
        var record = old
        record.revokedMilliseconds = try await ledger.organisation(visitor.organisation).now
        let text = try RecordCoding.json(record)
        _ = try await write(visitor, expecting: expected) { ledger, change in
            try await ledger.revokeKey(row.id, record: text, change: change, organisation: visitor.organisation)
        }
        doorkeeper.keys.forget(row.id, organisation: visitor.organisation)
        return .noContent
    }

    /// The key that a path names.
    private func key(
        _ call: Call, for visitor: Visitor, to permission: Permission
    ) async throws -> (row: KeyRow, record: KeyRecord) {
        let (account, id) = (try call.identifier("account"), try call.identifier("key"))
        _ = try await path(of: account, for: visitor, to: permission)
        let row = try await ledger.key(id, organisation: visitor.organisation)
        guard row.account == account else { throw Problem.notFound("There is no such key.") }
        return (row, try Self.record(row))
    }

    private static func record(_ row: KeyRow) throws(LedgerError) -> KeyRecord {
        var record = try RecordCoding.decode(KeyRecord.self, from: row.record)
        record.revokedMilliseconds = row.revokedAt
        return record
    }

    /// Heads handle keys that spend or read; keys that decide are for admins.
    /// - Throws: 403.
    private func require(_ visitor: Visitor, mayHandle role: KeyRole) throws(Problem) {
        guard visitor.role == .head else { return }
        switch role {
        case .member, .viewer, .proxy: return
        case .head, .admin: throw .forbidden("A head may not handle \(role.rawValue) keys.")
        }
    }
}

/// The body of `POST .../keys`.
struct KeyBody: Sendable {
    var name: String
    var role: KeyRole
    var principal: String?
    var defaultAccount: String?
    /// ms since 1970.
    var expiresAt: Int64?

    static func decode(_ bytes: ByteBuffer) throws(Problem) -> KeyBody {
        try JSONFields.decode(bytes) { (fields: inout JSONFields) throws(Problem) in
            fields.require("role")
            return KeyBody(
                name: fields.requiredString("name", maxBytes: 200), role: fields.choice("role") ?? .viewer,
                principal: fields.string("principal", maxBytes: 256),
                defaultAccount: fields.string("default_account", maxBytes: 63), expiresAt: fields.time("expires_at"))
        }
    }
}

extension JSONWriter {
    mutating func key(_ record: KeyRecord, version: Int64) {
        field("id", record.id)
        field("account", record.account)
        field("name", record.name)
        field("role", record.role.rawValue)
        field("principal", record.principal)
        field("default_account", record.defaultAccount)
        time("created_at", record.createdMilliseconds)
        time("expires_at", record.expiresMilliseconds)
        time("revoked_at", record.revokedMilliseconds)
        field("version", version)
    }
}
