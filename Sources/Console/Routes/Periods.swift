// Statements: what a budget gave and what became of it, period by period.

import HTTPSupport
import HTTPTypes
import Ledger
import QuotaCore

extension Console {
    /// The most periods with books that are not closed yet; those of minutes are closed a good hour after their end.
    private static let listed = 100
    /// How often a reader asks the ledger to close what is due; what is left then shows as ended.
    private static let closingRounds = 8

    var periodRoutes: [Route] {
        let all = "/api/v1/accounts/{account}/budgets/{budget}/periods"
        return [
            Route(
                .get, all, name: "listPeriods",
                summary: "Statements of the current period, of those with books and of closed ones, the newest first.",
                parameters: Parameter.page, successes: [Success(200, "A page of statements.", schema: "StatementList")],
                handler: listPeriods),
            Route(
                .get, all + "/{period}", name: "getPeriod",
                summary: "The statement of one period: final once it is closed, but for what is marked as late.",
                pathSchemas: ["period": #"{"type":"string","pattern":"^[0-9]{4}[0-9A-Za-z:-]{0,24}$"}"#],
                successes: [Success(200, "The statement.", schema: "Statement")], handler: getPeriod),
        ]
    }

    private func listPeriods(_ call: Call) async throws -> Answer {
        let page = try call.query { (query) throws(Problem) in try Page(&query) }
        let before = try page.position.map { (text) throws(Problem) in
            guard let start = Int64(text), start >= 0, start <= Amount.maximum else {
                throw .invalid("?cursor", "is not a cursor of this list")
            }
            return start
        }
        let visitor = try await admit(call)
        let (path, row) = try await budget(call, for: visitor, to: .read)
        let budget = try Budget(row)
        var all = try await openPeriods(budget, path, visitor)
        // The closed ones after the open ones: what is closed in between is there twice rather than not at all.
        all += try await ledger.statements(
            generation: row.generation, before: before, limit: page.limit + 1, organisation: visitor.organisation
        ).map { ShownStatement($0, budget) }
        var seen: Set<Int64> = []
        all = all.sorted { $0.start != $1.start ? $0.start > $1.start : $0.isClosed && !$1.isClosed }
            .filter { item in (before.map { item.start < $0 } ?? true) && seen.insert(item.start).inserted }
        let shown = all.prefix(page.limit)
        let next = all.count > page.limit ? shown.last.map { String($0.start) } : nil
        return Page.answer(shown, next: next) { json, item in json.object { $0.statement(item, now: path.now) } }
    }

    /// The current period and those with books that are not closed, after whatever is due has been closed.
    private func openPeriods(
        _ budget: Budget, _ path: ResolvedPath, _ visitor: Visitor
    ) async throws -> [ShownStatement] {
        let (generation, organisation) = (budget.row.generation, visitor.organisation)
        var books = try await ledger.books(generation: generation, limit: Self.listed, organisation: organisation)
        if books.contains(where: { !$0.isClosed && $0.end > $0.start && $0.closesAt <= path.now }) {
            try await closePeriods(organisation)
            books = try await ledger.books(generation: generation, limit: Self.listed, organisation: organisation)
        }
        var open = books.filter { $0.end > $0.start && !$0.isClosed }
            .map { Figures($0, budget, period: Self.period(of: $0, budget)) }
        let current = try await figures(
            budget, account: path.accounts.first?.id ?? "", now: path.now, organisation: organisation)
        if !current.isOpen { open.append(current) }
        return open.map { ShownStatement(figures: $0) }
    }

    /// Whoever reads a statement that is due need not wait for the next round of the keeper.
    private func closePeriods(_ organisation: String) async throws {
        for _ in 0..<Self.closingRounds {
            guard try await ledger.closePeriods(organisation: organisation) else { return }
        }
    }

    private func getPeriod(_ call: Call) async throws -> Answer {
        try call.noQuery()
        let visitor = try await admit(call)
        let id = call.parameter("period")
        let (path, row) = try await budget(call, for: visitor, to: .read)
        let budget = try Budget(row)
        guard id.utf8.count <= 32 else { throw Problem.notFound("There is no such period.") }
        guard let period = budget.period(id: id) else {
            return try await closedPeriod(named: id, budget, path, visitor)
        }
        let open = try await openPeriods(budget, path, visitor).first { $0.start == period.start }
        if let open { return .json { $0.statement(open, now: path.now) } }
        if let statement = try await ledger.statement(
            generation: row.generation, start: period.start, organisation: visitor.organisation)
        {
            return .json { $0.statement(ShownStatement(statement, budget), now: path.now) }
        }
        // What is over and was never used has no statement; what lies ahead is foreseen as long as it is planned.
        guard PeriodPlan.parse(row.periods).contains(period), period.end * 1000 > path.now else {
            return try await closedPeriod(named: id, budget, path, visitor)
        }
        let figures = try await figures(
            budget, of: period, account: path.accounts.first?.id ?? "", now: path.now,
            organisation: visitor.organisation)
        return .json { $0.statement(ShownStatement(figures: figures), now: path.now) }
    }

    /// A closed period that the present rule would divide otherwise.
    private func closedPeriod(
        named id: String, _ budget: Budget, _ path: ResolvedPath, _ visitor: Visitor
    ) async throws -> Answer {
        let all = try await ledger.statements(
            generation: budget.row.generation, limit: 1000, organisation: visitor.organisation)
        guard let found = all.first(where: { $0.periodID == id }) else {
            throw Problem.notFound("There are no books of this period.")
        }
        return .json { $0.statement(ShownStatement(found, budget), now: path.now) }
    }

    /// The ledger names periods of minutes and hours by their start only.
    private static func period(of book: BookFigures, _ budget: Budget) -> Period {
        guard PeriodPlan.isCalendar(budget.record.period.every) else {
            return budget.record.period.period(containing: book.start)
        }
        return Period(id: book.periodID, start: book.start, end: book.end)
    }
}

/// The figures of a period, and what its close made final.
private struct ShownStatement: Sendable {
    var figures: Figures
    /// Left to the next period.
    var rolledOver: Int64?
    /// Ledger time, ms.
    var closedAt: Int64?
    /// Spent by what came after the close, and when the last of it came.
    var late: Int64?
    var lateAt: Int64?

    var start: Int64 { figures.period.start }
    var isClosed: Bool { closedAt != nil }
}

extension ShownStatement {
    init(figures: Figures) { self.figures = figures }

    init(_ statement: Statement, _ budget: Budget) {
        let rule = budget.record.period
        let id =
            PeriodPlan.isCalendar(rule.every) ? statement.periodID : rule.period(containing: statement.start).id
        figures = Figures(
            period: Period(id: id, start: statement.start, end: statement.end), unit: budget.record.unit,
            amount: statement.amount, adjusted: statement.adjusted, rollover: statement.rollover,
            allowance: statement.allowance, limit: statement.limit < 0 ? nil : statement.limit,
            committed: statement.committed, spent: statement.spent, direct: statement.direct, leased: statement.leased,
            inDoubt: statement.inDoubt, isOpen: true)
        rolledOver = statement.rolledOver
        closedAt = statement.closedAt
        late = statement.late
        lateAt = statement.lateAt
    }
}

extension JSONWriter {
    fileprivate mutating func statement(_ shown: ShownStatement, now: Int64) {
        let figures = shown.figures
        let (start, end) = (figures.period.start * 1000, figures.period.end * 1000)
        object("period") { $0.period(figures.period) }
        field("state", shown.isClosed ? "closed" : now < start ? "upcoming" : now < end ? "open" : "ended")
        time("closed_at", shown.closedAt)
        field("unit", figures.unit.rawValue)
        amount("amount", figures.amount, figures.unit)
        amount("adjusted", figures.adjusted, figures.unit)
        amount("rollover", figures.rollover, figures.unit)
        amount("allowance", figures.allowance, figures.unit)
        amount("spent", figures.spent, figures.unit)
        amount("charged_directly", figures.direct, figures.unit)
        amount("leased", figures.leased, figures.unit)
        amount("in_doubt", figures.inDoubt, figures.unit)
        amount("remaining", figures.remaining, figures.unit)
        amount("available", figures.available, figures.unit)
        amount("rolled_over", shown.rolledOver, figures.unit)
        amount("late", shown.late, figures.unit)
        time("late_at", shown.lateAt)
    }
}
