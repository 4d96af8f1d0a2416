// Budgets: the rules on an account, shown with their live books.

import HTTPSupport
import HTTPTypes
import Ledger
import QuotaCore

extension Console {
    private static let readOnly: Set<String> = ["account", "budget", "version", "live"]

    var budgetRoutes: [Route] {
        let one = "/api/v1/accounts/{account}/budgets/{budget}"
        return [
            Route(
                .get, "/api/v1/accounts/{account}/budgets", name: "listBudgets",
                summary: "An account's budgets with their live books. An account has at most eight.",
                parameters: Parameter.page, successes: [Success(200, "The budgets.", schema: "BudgetList")],
                handler: listBudgets),
            Route(
                .put, one, name: "putBudget", summary: "Makes a budget or changes it.", body: "BudgetBody",
                parameters: Parameter.conditions,
                successes: [
                    Success(201, "It was made.", schema: "Budget"), Success(200, "It was changed.", schema: "Budget"),
                ], problems: [409]
            ) { try await changeBudget($0, patch: false) },
            Route(
                .patch, one, name: "patchBudget", summary: "Changes some fields of a budget (JSON merge patch).",
                body: "BudgetPatch", contentTypes: mergePatchTypes, parameters: [.ifMatch],
                successes: [Success(200, "It was changed.", schema: "Budget")], problems: [409]
            ) { try await changeBudget($0, patch: true) },
            Route(
                .get, one, name: "getBudget", summary: "One budget with its live books.",
                successes: [Success(200, "The budget.", schema: "Budget")], handler: getBudget),
            Route(
                .delete, one, name: "deleteBudget",
                summary: "Removes a budget. Its books stay; a budget made anew under its name is another one.",
                parameters: [.ifMatch], successes: [Success(204, "It is removed.")], problems: [409],
                handler: deleteBudget),
        ]
    }

    private func listBudgets(_ call: Call) async throws -> Answer {
        let page = try call.query { (query) throws(Problem) in try Page(&query) }
        let visitor = try await admit(call)
        let path = try await path(of: try call.identifier("account"), for: visitor, to: .read)
        let rows = (path.accounts.first?.budgets ?? []).sorted { $0.name < $1.name }
            .filter { row in page.position.map { row.name > $0 } ?? true }
        var shown: [ShownBudget] = []
        for row in rows.prefix(page.limit) { shown.append(try await show(row, path, visitor)) }
        let next = rows.count > page.limit ? shown.last?.budget.row.name : nil
        return Page.answer(shown, next: next) { json, item in json.object { $0.budget(item) } }
    }

    private func getBudget(_ call: Call) async throws -> Answer {
        try call.noQuery()
        let visitor = try await admit(call)
        let (path, row) = try await budget(call, for: visitor, to: .read)
        return try await budgetAnswer(row, path, visitor, .ok)
    }

    /// The budget that a path names.
    /// - Throws: 404, 403.
    func budget(
        _ call: Call, for visitor: Visitor, to permission: Permission
    ) async throws -> (path: ResolvedPath, row: ResolvedBudget) {
        let name = try call.identifier("budget")
        let path = try await path(of: try call.identifier("account"), for: visitor, to: permission)
        guard let row = path.accounts.first?.budgets.first(where: { $0.name == name }) else {
            throw Problem.notFound("There is no such budget.")
        }
        return (path, row)
    }

    private func budgetAnswer(
        _ row: ResolvedBudget, _ path: ResolvedPath, _ visitor: Visitor, _ status: HTTPResponse.Status
    ) async throws -> Answer {
        let shown = try await show(row, path, visitor)
        return .json(status, headers: .entityTag(row.version)) { $0.budget(shown) }
    }

    private func show(_ row: ResolvedBudget, _ path: ResolvedPath, _ visitor: Visitor) async throws -> ShownBudget {
        let budget = try Budget(row)
        let account = path.accounts.first?.id ?? ""
        return ShownBudget(
            account: account, budget: budget,
            figures: try await figures(budget, account: account, now: path.now, organisation: visitor.organisation),
            isBlocked: path.accounts.contains { !$0.block.isEmpty }, blockBound: try blockBound(path))
    }

    /// The least time in seconds, over all budgets up to the root, after which a node that is cut off stops.
    func blockBound(_ path: ResolvedPath) throws -> Int64 {
        let bounds = path.accounts.flatMap(\.budgets).map { row in
            switch OutageRule(ledgerText: row.outage) {
            case .deny: settings.maxStaleness
            case .spendLeases(let seconds), .allow(let seconds, _): seconds
            case nil: Int64(30)
            }
        }
        return bounds.min() ?? settings.maxStaleness
    }

    private func changeBudget(_ call: Call, patch: Bool) async throws -> Answer {
        try call.noQuery()
        let visitor = try await admit(call)
        let (account, name) = (try call.identifier("account"), try call.identifier("budget"))
        _ = try await path(of: account, for: visitor, to: .decide)
        let body = try JSONValue(await call.body())
        let timezone = try await ledger.organisation(visitor.organisation).settings.timezone
        return try await retrying(isConditional: call.isConditional) {
            let before = try await path(of: account, for: visitor, to: .decide)
            let old = before.accounts.first?.budgets.first { $0.name == name }
            let expected = try EntityTag.check(call.headers, version: old?.version)
            var value = body
            if patch {
                guard let old, let record = JSONValue(old.record) else {
                    throw Problem.notFound("There is no such budget.")
                }
                value = record.merged(with: body)
            }
            let record = try Self.budgetRecord(value, timezone: timezone)
            try await checkSum(
                giving: try await allowance(record, old, before, visitor), budget: name, unit: record.unit,
                every: record.period.every, path: before, visitor: visitor)
            let fields = try await budgetFields(record, old, before, visitor)
            _ = try await write(visitor, expecting: expected ?? (patch ? old?.version : nil)) { ledger, change in
                try await ledger.putBudget(
                    account: account, name: name, fields: fields, change: change, organisation: visitor.organisation)
            }
            let after = try await path(of: account, for: visitor, to: .read)
            guard let row = after.accounts.first?.budgets.first(where: { $0.name == name }) else {
                throw Problem.conflict("The budget was removed meanwhile.")
            }
            return try await budgetAnswer(row, after, visitor, old == nil ? .created : .ok)
        }
    }

    private static func budgetRecord(_ value: JSONValue, timezone: String) throws -> BudgetRecord {
        let given = try RecordBody.decode(BudgetRecord.self, value, shape: .budget, readOnly: readOnly)
        do {
            let record = try given.withDefaults(timezone: timezone)
            try RecordBody.check(record.validate())
            return record
        } catch let error as ValueError {
            throw Problem.invalid("/" + (error.field ?? ""), error.message)
        }
    }

    /// What the budget will give: the larger of its amounts, with what adjustments and rollover add now.
    private func allowance(
        _ record: BudgetRecord, _ old: ResolvedBudget?, _ path: ResolvedPath, _ visitor: Visitor
    ) async throws -> Int64 {
        func amount(_ text: DecimalText?) -> Int64 {
            text.flatMap { try? Amount.parse($0.text, unit: record.unit) } ?? 0
        }
        let own = max(amount(record.amount), amount(record.next?.amount))
        guard visitor.role == .head, let old, old.unit == record.unit.rawValue else { return own }
        let figures = try await figures(
            Budget(old), account: path.accounts.first?.id ?? "", now: path.now, organisation: visitor.organisation)
        return max(0, own + figures.allowance - figures.amount)
    }

    private func budgetFields(
        _ record: BudgetRecord, _ old: ResolvedBudget?, _ path: ResolvedPath, _ visitor: Visitor
    ) async throws -> [(String, String)] {
        let now = path.now / 1000
        guard let old, old.every == record.period.every.rawValue else {
            return try record.ledgerFields(
                generation: old?.generation ?? RandomIdentifier.make(),
                periods: PeriodPlan.fresh(record.period, now: now))
        }
        let stored = PeriodPlan.parse(old.periods)
        let rule = try Budget(old).record.period
        let isBound = PeriodPlan.ahead(stored, now: now) >= PeriodPlan.alarming
        if rule == record.period, isBound {
            return try record.ledgerFields(generation: old.generation, periods: stored)
        }
        // A node may have leased a later period already: it keeps what is stored, too.
        let newest = try await ledger.books(generation: old.generation, organisation: visitor.organisation).first
        return try record.ledgerFields(
            generation: old.generation,
            periods: PeriodPlan.changed(stored, to: record.period, bound: max(now, newest?.start ?? now)))
    }

    private func deleteBudget(_ call: Call) async throws -> Answer {
        try call.noQuery()
        let visitor = try await admit(call)
        let (path, row) = try await budget(call, for: visitor, to: .decide)
        let expected = try EntityTag.check(call.headers, version: row.version)
        let account = path.accounts.first?.id ?? ""
        _ = try await write(visitor, expecting: expected) { ledger, change in
            try await ledger.deleteBudget(
                account: account, name: row.name, change: change, organisation: visitor.organisation)
        }
        return .noContent
    }
}

/// A budget as it is shown.
struct ShownBudget: Sendable {
    var account: String
    var budget: Budget
    var figures: Figures
    var isBlocked: Bool
    var blockBound: Int64

    var state: String {
        if isBlocked { return "blocked" }
        switch figures.reached {
        case .block: return "exhausted"
        case .throttle: return "throttled"
        case .reroute: return "rerouting"
        case .warn, nil: return figures.warned ? "warned" : "active"
        }
    }

    /// What may be overspent, as far as the books know; nil: unbounded.
    var exposure: Int64? { figures.limit == nil ? nil : figures.overrun + figures.grantedLately + emergency }

    /// What nodes may spend together while the ledger is out of reach.
    var emergency: Int64 {
        guard case .allow(_, let amount) = OutageRule(ledgerText: budget.row.outage) else { return 0 }
        return amount
    }
}

extension JSONWriter {
    mutating func budget(_ shown: ShownBudget) {
        let (figures, row) = (shown.figures, shown.budget.row)
        field("account", shown.account)
        field("budget", row.name)
        members(ofRecord: row.record)
        field("version", row.version)
        object("live") { json in
            json.object("period") { $0.period(figures.period) }
            json.amount("allowance", figures.allowance, figures.unit)
            json.amount("remaining", figures.remaining, figures.unit)
            json.amount("available", figures.available, figures.unit)
            json.amount("spent", figures.spent, figures.unit)
            json.amount("leased", figures.leased, figures.unit)
            json.amount("in_doubt", figures.inDoubt, figures.unit)
            if let exposure = shown.exposure {
                json.amount("worst_case_exposure", exposure, figures.unit)
            } else {
                json.field("worst_case_exposure", "unbounded")
            }
            json.object("exposure") { json in
                json.amount("above_limit", figures.overrun, figures.unit)
                json.amount("granted_lately", figures.grantedLately, figures.unit)
                json.amount("emergency", shown.emergency, figures.unit)
                // A commit is booked whatever it says, and no request tells yet what it will use at most.
                json.field("overruns", figures.leased + figures.inDoubt > 0 ? "unbounded" : "none")
            }
            json.field("block_bound_s", shown.blockBound)
            json.field("enforced", figures.limit != nil)
            json.field("state", shown.state)
            json.field("version", row.version)
        }
    }

    mutating func period(_ period: Period) {
        field("id", period.id)
        time("start", period.start * 1000)
        time("end", period.end * 1000)
    }
}
