// The hard block: stops an account and all below it.

import HTTPSupport
import HTTPTypes
import Ledger
import NIOCore

extension Console {
    var blockRoutes: [Route] {
        let pattern = "/api/v1/accounts/{account}/block"
        return [
            Route(
                .put, pattern, name: "putBlock", summary: "Blocks an account and all below it.", body: "BlockBody",
                parameters: [.ifMatch],
                successes: [
                    Success(201, "It is blocked.", schema: "Block"),
                    Success(200, "It was blocked before; the reason is the new one.", schema: "Block"),
                ], problems: [409], handler: putBlock),
            Route(
                .get, pattern, name: "getBlock", summary: "The block of an account itself.",
                successes: [Success(200, "It is blocked.", schema: "Block")], handler: getBlock),
            Route(
                .delete, pattern, name: "deleteBlock",
                summary: "Ends the block of an account; blocks above it stay.", parameters: [.ifMatch],
                successes: [Success(204, "It is not blocked itself.")], problems: [409], handler: deleteBlock),
        ]
    }

    private func putBlock(_ call: Call) async throws -> Answer {
        try call.noQuery()
        let visitor = try await admit(call)
        let id = try call.identifier("account")
        let path = try await path(of: id, for: visitor, to: .decide)
        let reason = try Self.blockReason(try await call.body())
        let row = try await ledger.account(id, organisation: visitor.organisation)
        let expected = try EntityTag.check(call.headers, version: row.version)
        try await requireLiftable(row.block, visitor)
        let block = BlockRecord(reason: reason, actor: visitor.actor, timeMilliseconds: path.now)
        try RecordBody.check(block.validate())
        let text = try RecordCoding.json(block)
        let written = try await write(visitor, expecting: expected, reason: reason) { ledger, change in
            try await ledger.putBlock(account: id, block: text, change: change, organisation: visitor.organisation)
        }
        return .json(row.block.isEmpty ? .created : .ok, headers: .entityTag(written.version)) { json in
            json.field("account", id)
            json.block(block)
        }
    }

    private func getBlock(_ call: Call) async throws -> Answer {
        try call.noQuery()
        let visitor = try await admit(call)
        let id = try call.identifier("account")
        _ = try await path(of: id, for: visitor, to: .read)
        let row = try await ledger.account(id, organisation: visitor.organisation)
        guard let block = try BlockRecord.read(row.block) else {
            throw Problem.notFound("The account is not blocked itself.")
        }
        return .json(headers: .entityTag(row.version)) { json in
            json.field("account", id)
            json.block(block)
        }
    }

    private func deleteBlock(_ call: Call) async throws -> Answer {
        try call.noQuery()
        let visitor = try await admit(call)
        let id = try call.identifier("account")
        _ = try await path(of: id, for: visitor, to: .decide)
        let row = try await ledger.account(id, organisation: visitor.organisation)
        let expected = try EntityTag.check(call.headers, version: row.version)
        if row.block.isEmpty { return .noContent }
        try await requireLiftable(row.block, visitor)
        _ = try await write(visitor, expecting: expected) { ledger, change in
            try await ledger.deleteBlock(account: id, change: change, organisation: visitor.organisation)
        }
        return .noContent
    }

    /// Heads lift and replace blocks that heads have set, not those of admins.
    /// - Throws: 403.
    private func requireLiftable(_ text: String, _ visitor: Visitor) async throws {
        guard visitor.role == .head, let block = try BlockRecord.read(text) else { return }
        if let id = Actor.keyID(block.actor), id == visitor.keyID { return }
        if let id = Actor.keyID(block.actor),
            let row = try await doorkeeper.keys.key(id, organisation: visitor.organisation),
            case let record = try RecordCoding.decode(KeyRecord.self, from: row.record), record.role == .head
        {
            return
        }
        throw Problem.forbidden("An admin has set this block; only an admin may change it.")
    }

    private static func blockReason(_ bytes: ByteBuffer) throws(Problem) -> String {
        try JSONFields.decode(bytes) { (fields: inout JSONFields) throws(Problem) in
            fields.requiredString("reason", maxBytes: 1000)
        }
    }
}
