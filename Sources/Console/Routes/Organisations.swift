// Organisations: made and changed with the bootstrap credential only.

import HTTPSupport
import HTTPTypes
import Ledger
import QuotaCore

extension Console {
    var organisationRoutes: [Route] {
        [
            Route(
                .get, "/api/v1/organisations", name: "listOrganisations", summary: "All organisations, by id.",
                parameters: Parameter.page,
                successes: [Success(200, "A page of organisations.", schema: "OrganisationList")],
                handler: listOrganisations),
            Route(
                .put, "/api/v1/organisations/{organisation}", name: "putOrganisation",
                summary: "Makes an organisation with its root account, or changes its settings.",
                body: "OrganisationBody", parameters: Parameter.conditions,
                successes: [
                    Success(201, "It was made.", schema: "Organisation"),
                    Success(200, "It was changed.", schema: "Organisation"),
                ], problems: [409]
            ) { try await changeOrganisation($0, patch: false) },
            Route(
                .patch, "/api/v1/organisations/{organisation}", name: "patchOrganisation",
                summary: "Changes some settings (JSON merge patch).", body: "OrganisationPatch",
                contentTypes: mergePatchTypes, parameters: [.ifMatch],
                successes: [Success(200, "It was changed.", schema: "Organisation")], problems: [409]
            ) { try await changeOrganisation($0, patch: true) },
            Route(
                .get, "/api/v1/organisations/{organisation}", name: "getOrganisation", summary: "One organisation.",
                successes: [Success(200, "The organisation.", schema: "Organisation")], handler: getOrganisation),
        ]
    }

    var mergePatchTypes: [String] { ["application/json", "application/merge-patch+json"] }

    private func listOrganisations(_ call: Call) async throws -> Answer {
        let page = try call.query { (query) throws(Problem) in try Page(&query) }
        try await doorkeeper.admitBootstrap(call)
        let all = try await ledger.organisations().filter { id in page.position.map { id > $0 } ?? true }
        var rows: [OrganisationRow] = []
        for id in all.prefix(page.limit) {
            do {
                rows.append(try await ledger.organisation(id))
            } catch {
                // The set of names is no part of the books: one without a record is passed over.
                guard error.code == .noOrganisation else { throw error }
            }
        }
        let next = all.count > page.limit ? all[page.limit - 1] : nil
        return Page.answer(rows, next: next) { json, row in json.object { $0.organisation(row) } }
    }

    private func getOrganisation(_ call: Call) async throws -> Answer {
        try call.noQuery()
        try await doorkeeper.admitBootstrap(call)
        guard let row = try await organisation(try call.identifier("organisation")) else { throw Problem.notFound() }
        return .json(headers: .entityTag(row.version)) { $0.organisation(row) }
    }

    private func changeOrganisation(_ call: Call, patch: Bool) async throws -> Answer {
        try call.noQuery()
        try await doorkeeper.admitBootstrap(call)
        let id = try call.identifier("organisation")
        let body = try JSONValue(await call.body())
        return try await retrying(isConditional: call.isConditional) {
            let old = try await organisation(id)
            let expected = try EntityTag.check(call.headers, version: old?.version)
            var value = body
            if patch {
                guard let old else { throw Problem.notFound("There is no such organisation.") }
                value = old.settings.body.merged(with: body)
            }
            let record = try Self.organisationRecord(id, value)
            let visitor = Visitor.bootstrap(id)
            if old == nil {
                let change = Change(actor: visitor.actor, expectedVersion: 0)
                try await Founder.create(record, ledger: ledger, change: change)
            } else {
                if record.durability.rawValue != old?.settings.durability {
                    try await ledger.prove(record.durability, organisation: id)
                }
                _ = try await write(visitor, expecting: expected ?? (patch ? old?.version : nil)) { ledger, change in
                    try await ledger.updateOrganisation(
                        OrganisationSettings(record), change: change, organisation: id)
                }
            }
            let row = try await ledger.organisation(id)
            return .json(old == nil ? .created : .ok, headers: .entityTag(row.version)) { $0.organisation(row) }
        }
    }

    private func organisation(_ id: String) async throws(LedgerError) -> OrganisationRow? {
        do {
            return try await ledger.organisation(id)
        } catch {
            if error.code == .noOrganisation { return nil }
            throw error
        }
    }

    private static func organisationRecord(_ id: String, _ value: JSONValue) throws(Problem) -> OrganisationRecord {
        let readOnly: Set<String> = ["created_at", "version", "history"]
        if case .string(let given)? = value.members?["id"], given != id {
            throw .invalid("/id", "must be that of the path")
        }
        guard case .object(var members) = value else { throw .invalid("", "must be an object") }
        members["id"] = .string(id)
        let record = try RecordBody.decode(
            OrganisationRecord.self, .object(members), shape: .keys(OrganisationRecord.knownKeys), readOnly: readOnly)
        try RecordBody.check(record.validate())
        return record
    }
}

extension OrganisationSettings {
    /// As a body of PUT.
    var body: JSONValue {
        .object([
            "name": .string(name), "timezone": .string(timezone), "durability": .string(durability),
            "unpriced": .string(unpriced),
        ])
    }
}

extension JSONWriter {
    mutating func organisation(_ row: OrganisationRow) {
        field("id", row.id)
        field("name", row.settings.name)
        field("timezone", row.settings.timezone)
        field("durability", row.settings.durability)
        field("unpriced", row.settings.unpriced)
        time("created_at", row.createdAt)
        field("history", row.history)
        field("version", row.version)
    }
}
