// Adjustments: raises and cuts of what a budget gives that are no change of its rule.

import Foundation
import HTTPSupport
import HTTPTypes
import Ledger
import NIOCore
import QuotaCore

extension Console {
    var adjustmentRoutes: [Route] {
        let all = "/api/v1/accounts/{account}/budgets/{budget}/adjustments"
        return [
            Route(
                .post, all, name: "addAdjustment", summary: "Raises or cuts a budget for a period, a while or good.",
                body: "AdjustmentBody", parameters: [.idempotencyKey],
                successes: [Success(201, "It holds.", schema: "Adjustment")], problems: [409],
                handler: addAdjustment),
            Route(
                .get, all, name: "listAdjustments", summary: "A budget's adjustments, the oldest first.",
                parameters: Parameter.page,
                successes: [Success(200, "A page of adjustments.", schema: "AdjustmentList")],
                handler: listAdjustments),
            Route(
                .delete, all + "/{adjustment}", name: "deleteAdjustment",
                summary: "Takes an adjustment back; periods that are over keep what they had.",
                successes: [Success(204, "It is taken back.")], problems: [409], handler: deleteAdjustment),
        ]
    }

    private func addAdjustment(_ call: Call) async throws -> Answer {
        try call.noQuery()
        let visitor = try await admit(call)
        let (path, row) = try await budget(call, for: visitor, to: .decide)
        let bytes = try await call.body()
        return try await idempotency.run(call, credential: visitor.credential, body: bytes) {
            let budget = try Budget(row)
            let account = path.accounts.first?.id ?? ""
            let body = try AdjustmentBody.decode(bytes, unit: budget.record.unit)
            let figures = try await figures(
                budget, account: account, now: path.now, organisation: visitor.organisation)
            if body.amount > 0 {
                try await checkSum(
                    giving: figures.allowance + body.amount, budget: row.name, unit: budget.record.unit,
                    every: budget.record.period.every, path: path, visitor: visitor)
            }
            let id = RandomIdentifier.make()
            let note = try RecordCoding.json(["actor": visitor.actor, "reason": body.reason])
            let start = figures.period.start
            _ = try await write(visitor, reason: body.reason) { ledger, change in
                try await ledger.putAdjustment(
                    account: account, budget: row.name, id: id, amount: body.amount, expires: body.expires,
                    periodStart: start, record: note, change: change, organisation: visitor.organisation)
            }
            let rows = try await ledger.adjustments(
                account: account, budget: row.name, organisation: visitor.organisation)
            guard let made = rows.first(where: { $0.id == id }) else {
                throw Problem.conflict("The adjustment was taken back meanwhile.")
            }
            return .json(.created) { $0.adjustment(made, budget) }
        }
    }

    private func listAdjustments(_ call: Call) async throws -> Answer {
        let page = try call.query { (query) throws(Problem) in try Page(&query) }
        let visitor = try await admit(call)
        let (path, row) = try await budget(call, for: visitor, to: .read)
        let budget = try Budget(row)
        var rows = try await ledger.adjustments(
            account: path.accounts.first?.id ?? "", budget: row.name, organisation: visitor.organisation)
        if let position = page.position {
            guard let place = AdjustmentPlace(position) else {
                throw Problem.invalid("?cursor", "is not a cursor of this list")
            }
            rows.removeAll { !place.isBefore($0) }
        }
        let shown = rows.prefix(page.limit)
        let next = rows.count > page.limit ? shown.last.map { AdjustmentPlace($0).text } : nil
        return Page.answer(shown, next: next) { json, row in json.object { $0.adjustment(row, budget) } }
    }

    private func deleteAdjustment(_ call: Call) async throws -> Answer {
        try call.noQuery()
        let visitor = try await admit(call)
        let id = try call.identifier("adjustment")
        let (path, row) = try await budget(call, for: visitor, to: .decide)
        let account = path.accounts.first?.id ?? ""
        let rows = try await ledger.adjustments(
            account: account, budget: row.name, organisation: visitor.organisation)
        guard let old = rows.first(where: { $0.id == id }) else {
            throw Problem.notFound("There is no such adjustment.")
        }
        if old.amount < 0 {
            // Taking a cut back gives.
            let budget = try Budget(row)
            let figures = try await figures(
                budget, account: account, now: path.now, organisation: visitor.organisation)
            try await checkSum(
                giving: figures.allowance - old.amount, budget: row.name, unit: budget.record.unit,
                every: budget.record.period.every, path: path, visitor: visitor)
        }
        _ = try await write(visitor) { ledger, change in
            try await ledger.deleteAdjustment(
                account: account, budget: row.name, id: id, change: change, organisation: visitor.organisation)
        }
        return .noContent
    }
}

/// Where a list of adjustments goes on.
private struct AdjustmentPlace {
    let createdAt: Int64
    let id: String

    init(_ row: AdjustmentRow) {
        createdAt = row.createdAt
        id = row.id
    }

    init?(_ text: String) {
        let parts = text.split(separator: ":", maxSplits: 1)
        guard parts.count == 2, let time = Int64(parts[0]) else { return nil }
        createdAt = time
        id = String(parts[1])
    }

    var text: String { "\(createdAt):\(id)" }

    func isBefore(_ row: AdjustmentRow) -> Bool { (createdAt, id) < (row.createdAt, row.id) }
}

/// The body of `POST .../adjustments`.
struct AdjustmentBody: Sendable {
    /// Signed, book units.
    var amount: Int64
    var reason: String
    var expires: AdjustmentEnd

    static func decode(_ bytes: ByteBuffer, unit: BudgetUnit) throws(Problem) -> AdjustmentBody {
        try JSONFields.decode(bytes) { (fields: inout JSONFields) throws(Problem) in
            fields.require("amount")
            let amount = fields.change("amount", unit)
            let reason = fields.string("reason", minBytes: 0, maxBytes: 1000) ?? ""
            var expires = AdjustmentEnd.periodEnd
            if fields.isNull("expires") {
                expires = .never
            } else if let text = fields.string("expires", maxBytes: 40), text != "period_end" {
                if let time = RFC3339.parse(text), time >= 0 {
                    expires = .at(time)
                } else {
                    fields.fail("expires", "must be period_end, an RFC 3339 time or null")
                }
            }
            return AdjustmentBody(amount: amount, reason: reason, expires: expires)
        }
    }
}

extension JSONFields {
    /// A signed amount other than 0; 0 after an error.
    fileprivate mutating func change(_ name: StaticString, _ unit: BudgetUnit) -> Int64 {
        guard let text = text(name) else { return 0 }
        do {
            let amount = try Amount.parse(text, unit: unit, signed: true)
            if amount == 0 { fail("\(name)", "must not be 0") }
            return amount
        } catch {
            fail("\(name)", error.message)
            return 0
        }
    }
}

extension JSONWriter {
    fileprivate mutating func adjustment(_ row: AdjustmentRow, _ budget: Budget) {
        let note = JSONValue(row.record)?.members ?? [:]
        func text(_ name: String) -> String? {
            if case .string(let text)? = note[name] { text } else { nil }
        }
        field("id", row.id)
        amount("amount", row.amount, budget.record.unit)
        field("reason", text("reason") ?? "")
        field("actor", text("actor"))
        switch row.expires {
        case .periodEnd: field("expires", "period_end")
        case .never: field("expires", String?.none)
        case .at(let end): time("expires", end)
        }
        time("from", row.periodStart * 1000)
        time("created_at", row.createdAt)
    }
}
