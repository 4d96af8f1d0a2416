// Money in doubt: what gateways that died without a goodbye may have spent. Admins decide what it was.

import HTTPSupport
import HTTPTypes
import Ledger
import NIOCore
import QuotaCore

extension Console {
    var doubtRoutes: [Route] {
        [
            Route(
                .get, "/api/v1/doubt", name: "listDoubt",
                summary:
                    "What sessions that ended without a goodbye may have spent. A page may be short and still have a next one.",
                parameters: Parameter.page + [
                    Parameter("account", schema: OpenAPIDocument.identifier, "Only of this account's budgets.")
                ], successes: [Success(200, "A page of what is in doubt.", schema: "DoubtList")], problems: [404],
                handler: listDoubt),
            Route(
                .post, "/api/v1/doubt/{doubt}/resolve", name: "resolveDoubt",
                summary:
                    "Counts money in doubt as spent, or gives it back to its budget. A later commit is booked all the same.",
                body: "DoubtBody", parameters: [.idempotencyKey],
                successes: [Success(200, "It is resolved.", schema: "DoubtResolved")], problems: [409],
                handler: resolveDoubt),
        ]
    }

    private func listDoubt(_ call: Call) async throws -> Answer {
        let (page, account) = try call.query { (query) throws(Problem) in
            (try Page(&query), query.string("account", maxBytes: 63))
        }
        let visitor = try await admit(call)
        var sight = Sight(visitor, ledger)
        if let account {
            guard Identifier.isValid(account) else { throw Problem.invalid("?account", "is not an id") }
            guard try await sight.sees(account) else { throw Problem.notFound("There is no such account.") }
        }
        let rows = try await ledger.doubts(
            after: page.position, limit: page.limit, organisation: visitor.organisation)
        var shown: [DoubtRow] = []
        for row in rows.items where account == nil || row.account == account {
            if try await sight.sees(row.account) { shown.append(row) }
        }
        return Page.answer(shown, next: rows.next) { json, row in json.object { $0.doubt(row) } }
    }

    private func resolveDoubt(_ call: Call) async throws -> Answer {
        try call.noQuery()
        let visitor = try await admit(call)
        try requireRoot(visitor, to: .govern)
        let bytes = try await call.body()
        return try await idempotency.run(call, credential: visitor.credential, body: bytes) {
            let body = try DoubtBody.decode(bytes)
            guard let id = DoubtID(call.parameter("doubt")),
                let row = try await ledger.doubt(id, organisation: visitor.organisation)
            else { throw Problem.notFound("Nothing of this id was ever held.") }
            let unit = BudgetUnit(rawValue: row.unit) ?? .tokens
            let amount = try body.amount(in: unit)
            _ = try await write(visitor, reason: body.reason) { ledger, change in
                try await ledger.resolveDoubt(
                    id, body.resolution, amount: amount, change: change, organisation: visitor.organisation)
            }
            let rest = try await ledger.doubt(id, organisation: visitor.organisation)
            return .json { json in
                json.doubtPlace(row)
                json.field("resolution", body.resolution?.rawValue ?? "abandoned")
                json.amount("resolved", amount ?? row.resolvable, unit)
                json.amount("in_doubt", rest?.amount ?? 0, unit)
            }
        }
    }
}

/// The body of `POST /api/v1/doubt/{id}/resolve`.
struct DoubtBody: Sendable {
    /// Nil: what the budget says of abandoned reservations.
    var resolution: DoubtResolution?
    /// As it came: its unit is the budget's. Nil: all.
    var amount: String?
    var reason: String

    static func decode(_ bytes: ByteBuffer) throws(Problem) -> DoubtBody {
        try JSONFields.decode(bytes) { (fields: inout JSONFields) throws(Problem) in
            let word = fields.string("resolution", maxBytes: 16) ?? "abandoned"
            let resolution = DoubtResolution(rawValue: word)
            if resolution == nil, word != "abandoned" {
                fields.fail("resolution", "must be charge, release or abandoned")
            }
            return DoubtBody(
                resolution: resolution, amount: fields.text("amount"),
                reason: fields.requiredString("reason", maxBytes: 1000))
        }
    }

    /// - Throws: 422 naming the field.
    func amount(in unit: BudgetUnit) throws(Problem) -> Int64? {
        guard let amount else { return nil }
        do {
            let value = try Amount.parse(amount, unit: unit)
            if value > 0 { return value }
        } catch {
            throw .invalid("/amount", error.message)
        }
        throw .invalid("/amount", "must be above 0")
    }
}

extension JSONWriter {
    fileprivate mutating func doubtPlace(_ row: DoubtRow) {
        field("id", row.id.description)
        field("account", row.account)
        field("budget", row.budget)
        object("period") { $0.period(Period(id: row.periodID, start: row.id.key.start, end: row.end)) }
        field("node", row.node.isEmpty ? nil : row.node)
        field("session", row.id.session)
    }

    fileprivate mutating func doubt(_ row: DoubtRow) {
        let unit = BudgetUnit(rawValue: row.unit) ?? .tokens
        doubtPlace(row)
        if row.seenAt > 0 { time("seen_at", row.seenAt) } else { field("seen_at", String?.none) }
        field("unit", unit.rawValue)
        amount("in_doubt", row.amount, unit)
        amount("resolvable", row.resolvable, unit)
    }
}
