// Statements: what a budget gave and what became of it, period by period.

import HTTPSupport
import HTTPTypes
import Ledger
import QuotaCore

extension Console {
    /// The most periods with books that are listed; older ones are found by their ids.
    private static let listed = 100
    /// A period takes late reports for so long after its end, ms, and then for one time to live of a session.
    private static let closing: Int64 = 3_600_000

    var periodRoutes: [Route] {
        let all = "/api/v1/accounts/{account}/budgets/{budget}/periods"
        return [
            Route(
                .get, all, name: "listPeriods",
                summary: "Statements of the current period and of those with books, the newest first, at most 100.",
                parameters: Parameter.page, successes: [Success(200, "A page of statements.", schema: "StatementList")],
                handler: listPeriods),
            Route(
                .get, all + "/{period}", name: "getPeriod", summary: "The statement of one period.",
                pathSchemas: ["period": #"{"type":"string","pattern":"^[0-9]{4}[0-9A-Za-z:-]{0,24}$"}"#],
                successes: [Success(200, "The statement.", schema: "Statement")], handler: getPeriod),
        ]
    }

    private func listPeriods(_ call: Call) async throws -> Answer {
        let page = try call.query { (query) throws(Problem) in try Page(&query) }
        let before = try page.position.map { (text) throws(Problem) in
            guard let start = Int64(text) else { throw .invalid("?cursor", "is not a cursor of this list") }
            return start
        }
        let visitor = try await admit(call)
        let (path, row) = try await budget(call, for: visitor, to: .read)
        let budget = try Budget(row)
        let current = try await figures(
            budget, account: path.accounts.first?.id ?? "", now: path.now, organisation: visitor.organisation)
        var all = try await ledger.books(
            generation: row.generation, limit: Self.listed, organisation: visitor.organisation
        ).filter { $0.end > $0.start }.map { book in
            Figures(book, budget, period: Self.period(of: book, budget))
        }
        if !current.isOpen { all.append(current) }
        all.sort { $0.period.start > $1.period.start }
        if let before { all.removeAll { $0.period.start >= before } }
        let shown = all.prefix(page.limit)
        let next = all.count > page.limit ? shown.last.map { String($0.period.start) } : nil
        return Page.answer(shown, next: next) { json, figures in
            json.object { $0.statement(figures, now: path.now, closing: Self.closing) }
        }
    }

    private func getPeriod(_ call: Call) async throws -> Answer {
        try call.noQuery()
        let visitor = try await admit(call)
        let id = call.parameter("period")
        let (path, row) = try await budget(call, for: visitor, to: .read)
        let budget = try Budget(row)
        guard id.utf8.count <= 32, let period = budget.period(id: id) else {
            throw Problem.notFound("There is no such period.")
        }
        let figures = try await figures(
            budget, of: period, account: path.accounts.first?.id ?? "", now: path.now,
            organisation: visitor.organisation)
        // What is over and was never used has no statement; what lies ahead is foreseen as long as it is planned.
        let isPlanned = PeriodPlan.parse(row.periods).contains(period) || budget.period(at: path.now / 1000) == period
        guard figures.isOpen || (isPlanned && period.end * 1000 > path.now) else {
            throw Problem.notFound("There are no books of this period.")
        }
        return .json { $0.statement(figures, now: path.now, closing: Self.closing) }
    }

    /// The ledger names periods of minutes and hours by their start only.
    private static func period(of book: BookFigures, _ budget: Budget) -> Period {
        guard PeriodPlan.isCalendar(budget.record.period.every) else {
            return budget.record.period.period(containing: book.start)
        }
        return Period(id: book.periodID, start: book.start, end: book.end)
    }
}

extension JSONWriter {
    fileprivate mutating func statement(_ figures: Figures, now: Int64, closing: Int64) {
        let (start, end) = (figures.period.start * 1000, figures.period.end * 1000)
        object("period") { $0.period(figures.period) }
        field("state", now < start ? "upcoming" : now < end ? "open" : now < end + closing ? "closing" : "closed")
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
    }
}
