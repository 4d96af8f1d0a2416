// Accounts: the organisation's tree.

import HTTPSupport
import HTTPTypes
import Ledger
import QuotaCore

extension Console {
    var accountRoutes: [Route] {
        [
            Route(
                .get, "/api/v1/accounts", name: "listAccounts", summary: "The accounts that this key sees, by id.",
                parameters: Parameter.page + [
                    Parameter("parent", schema: OpenAPIDocument.identifier, "Only those with this parent."),
                    Parameter("archived", schema: #"{"type":"boolean","default":false}"#, "Archived ones, too."),
                ], successes: [Success(200, "A page of accounts.", schema: "AccountList")], handler: listAccounts),
            Route(
                .put, "/api/v1/accounts/{account}", name: "putAccount",
                summary: "Makes an account, changes it, moves it, or takes an archived one back into use.",
                body: "AccountBody", parameters: Parameter.conditions,
                successes: [
                    Success(201, "It was made.", schema: "Account"), Success(200, "It was changed.", schema: "Account"),
                ], problems: [409]
            ) { try await changeAccount($0, patch: false) },
            Route(
                .patch, "/api/v1/accounts/{account}", name: "patchAccount",
                summary: "Changes some fields of an account (JSON merge patch).", body: "AccountPatch",
                contentTypes: mergePatchTypes, parameters: [.ifMatch],
                successes: [Success(200, "It was changed.", schema: "Account")], problems: [409]
            ) { try await changeAccount($0, patch: true) },
            Route(
                .get, "/api/v1/accounts/{account}", name: "getAccount", summary: "One account.",
                successes: [Success(200, "The account.", schema: "Account")], handler: getAccount),
            Route(
                .delete, "/api/v1/accounts/{account}", name: "archiveAccount",
                summary: "Takes an account out of use. What was spent stays in the books.", parameters: [.ifMatch],
                successes: [Success(204, "It is archived.")], problems: [409], handler: archiveAccount),
        ]
    }

    private func listAccounts(_ call: Call) async throws -> Answer {
        let (page, parent, archived) = try call.query { (query) throws(Problem) in
            (try Page(&query), query.string("parent", maxBytes: 63), query.bool("archived") ?? false)
        }
        let visitor = try await admit(call)
        var sight = Sight(visitor, ledger)
        if let parent {
            guard Identifier.isValid(parent) else { throw Problem.invalid("?parent", "is not an id") }
            guard try await sight.sees(parent) else { throw Problem.notFound("There is no such account.") }
        }
        let list = try await ledger.accounts(
            parent: parent, after: page.position, limit: page.limit, organisation: visitor.organisation)
        var rows: [AccountRow] = []
        for row in list.items where archived || !row.archived {
            if try await sight.sees(row.id) { rows.append(row) }
        }
        let shown = try rows.map { (row) throws(LedgerError) in
            (row: row, block: try BlockRecord.read(row.block))
        }
        return Page.answer(shown, next: list.next) { json, item in json.object { $0.account(item.row, item.block) } }
    }

    private func getAccount(_ call: Call) async throws -> Answer {
        try call.noQuery()
        let visitor = try await admit(call)
        let id = try call.identifier("account")
        _ = try await path(of: id, for: visitor, to: .read)
        return try await accountAnswer(id, visitor, .ok)
    }

    private func accountAnswer(_ id: String, _ visitor: Visitor, _ status: HTTPResponse.Status) async throws -> Answer {
        let row = try await ledger.account(id, organisation: visitor.organisation)
        let block = try BlockRecord.read(row.block)
        return .json(status, headers: .entityTag(row.version)) { $0.account(row, block) }
    }

    private func changeAccount(_ call: Call, patch: Bool) async throws -> Answer {
        try call.noQuery()
        let visitor = try await admit(call)
        let id = try call.identifier("account")
        if visitor.role != .admin { _ = try await path(of: id, for: visitor, to: .govern) }
        let body = try JSONValue(await call.body())
        return try await retrying(isConditional: call.isConditional) {
            let old = try await account(id, visitor.organisation)
            let expected = try EntityTag.check(call.headers, version: old?.version)
            var value = body
            if patch {
                guard let old, let record = JSONValue(old.record) else {
                    throw Problem.notFound("There is no such account.")
                }
                value = record.merged(with: body)
            }
            let record = try await accountRecord(id, value, visitor)
            let text = try RecordCoding.json(record)
            _ = try await write(visitor, expecting: expected ?? (patch ? old?.version : nil)) { ledger, change in
                try await ledger.putAccount(
                    id, parent: record.parent ?? "", record: text, change: change, organisation: visitor.organisation)
            }
            return try await accountAnswer(id, visitor, old == nil ? .created : .ok)
        }
    }

    private func account(_ id: String, _ organisation: String) async throws(LedgerError) -> AccountRow? {
        do {
            return try await ledger.account(id, organisation: organisation)
        } catch {
            if error.code == .notFound { return nil }
            throw error
        }
    }

    private func accountRecord(_ id: String, _ value: JSONValue, _ visitor: Visitor) async throws -> AccountRecord {
        if case .string(let given)? = value.members?["id"], given != id {
            throw Problem.invalid("/id", "must be that of the path")
        }
        var record = try RecordBody.decode(
            AccountRecord.self, value, shape: .account, readOnly: ["id", "version", "archived", "block"])
        try RecordBody.check(record.validate())
        if id == visitor.organisation {
            if record.parent != nil { throw Problem.invalid("/parent", "must be left out for the root account") }
        } else {
            // Left out: directly below the root.
            record.parent = record.parent ?? visitor.organisation
            if let parent = record.parent, try await account(parent, visitor.organisation) == nil {
                throw Problem.invalid("/parent", "is not an account")
            }
        }
        return record.withDefaults(id: id)
    }

    private func archiveAccount(_ call: Call) async throws -> Answer {
        try call.noQuery()
        let visitor = try await admit(call)
        let id = try call.identifier("account")
        _ = try await path(of: id, for: visitor, to: .govern)
        let row = try await ledger.account(id, organisation: visitor.organisation)
        let expected = try EntityTag.check(call.headers, version: row.version)
        if row.archived { return .noContent }
        _ = try await write(visitor, expecting: expected) { ledger, change in
            try await ledger.archiveAccount(id, change: change, organisation: visitor.organisation)
        }
        return .noContent
    }
}

extension JSONWriter {
    mutating func account(_ row: AccountRow, _ block: BlockRecord?) {
        field("id", row.id)
        members(ofRecord: row.record)
        field("archived", row.archived)
        if let block { object("block") { $0.block(block) } } else { field("block", String?.none) }
        field("version", row.version)
    }

    mutating func block(_ block: BlockRecord) {
        field("reason", block.reason)
        field("actor", block.actor)
        time("blocked_at", block.timeMilliseconds)
    }
}
