// The figures of a budget's period as users see them: what the books say, or what they will say when they are opened.

import Ledger
import QuotaCore

/// One period's figures. Amounts in book units, times in seconds.
struct Figures: Sendable, Hashable {
    var period: Period
    var unit: BudgetUnit
    var amount: Int64
    var adjusted: Int64
    var rollover: Int64
    var allowance: Int64
    /// Nil: nothing bounds what is granted.
    var limit: Int64?
    var committed: Int64 = 0
    var spent: Int64 = 0
    var direct: Int64 = 0
    var leased: Int64 = 0
    var inDoubt: Int64 = 0
    /// Grants that Redis may lose.
    var grantedLately: Int64 = 0
    /// The highest ceiling that was reached.
    var reached: StepKind?
    /// Whether a `warn` step was reached.
    var warned = false
    /// Whether the period has books yet.
    var isOpen = false

    var remaining: Int64 { allowance - spent - inDoubt }
    var available: Int64 { remaining - leased }
    /// How far grants went over the limit.
    var overrun: Int64 { max(0, committed - (limit ?? Int64.max)) }
}

/// A budget of the books with its record read.
struct Budget: Sendable {
    let row: ResolvedBudget
    let record: BudgetRecord

    init(_ row: ResolvedBudget) throws(LedgerError) {
        self.row = row
        record = try RecordCoding.decode(BudgetRecord.self, from: row.record)
    }

    /// The period at a time in seconds.
    func period(at time: Int64) -> Period {
        let rule = record.period
        guard PeriodPlan.isCalendar(rule.every) else { return rule.period(containing: time) }
        return PeriodPlan.parse(row.periods).first { $0.start <= time && time < $0.end }
            ?? rule.period(containing: time)
    }

    /// A period by its id; nil when the budget has none.
    func period(id: String) -> Period? {
        PeriodPlan.parse(row.periods).first { $0.id == id } ?? record.period.period(id: id)
    }
}

extension Console {
    /// The figures of a budget at the ledger's time.
    func figures(_ budget: Budget, account: String, now: Int64, organisation: String) async throws -> Figures {
        try await figures(
            budget, of: budget.period(at: now / 1000), account: account, now: now, organisation: organisation)
    }

    /// The figures of one period.
    func figures(
        _ budget: Budget, of period: Period, account: String, now: Int64, organisation: String
    ) async throws -> Figures {
        let books = try await ledger.books(
            generation: budget.row.generation, start: period.start, organisation: organisation)
        if let book = books.first, book.end > book.start { return Figures(book, budget, period: period) }
        return try await expected(budget, of: period, account: account, now: now, organisation: organisation)
    }

    /// What a period without books will begin with.
    private func expected(
        _ budget: Budget, of period: Period, account: String, now: Int64, organisation: String
    ) async throws -> Figures {
        let record = budget.record
        func amount(_ text: DecimalText?) -> Int64 {
            text.flatMap { try? Amount.parse($0.text, unit: record.unit) } ?? 0
        }
        let next = record.next.flatMap { period.id >= $0.from ? $0.amount : nil }
        let own = amount(next ?? record.amount)
        let adjusted = try await ledger.adjustments(
            account: account, budget: budget.row.name, organisation: organisation
        ).filter { adjustment in
            switch adjustment.expires {
            case .periodEnd: adjustment.periodStart == period.start
            case .never: adjustment.periodStart <= period.start
            case .at(let end): adjustment.periodStart <= period.start && end > now
            }
        }.reduce(0) { $0 + $1.amount }
        let rollover = try await rollover(into: period, budget, now: now, organisation: organisation)
        let allowance = max(0, min(Amount.maximum, own + rollover + adjusted))
        let steps = try record.ladderSteps()
        let block = steps.last { $0.kind == .block }
        return Figures(
            period: period, unit: record.unit, amount: own, adjusted: adjusted, rollover: rollover,
            allowance: allowance, limit: record.mode == .shadow ? nil : block?.amount(of: allowance))
    }

    /// What a period without books will inherit of the one before it.
    private func rollover(
        into period: Period, _ budget: Budget, now: Int64, organisation: String
    ) async throws -> Int64 {
        let generation = budget.row.generation
        if let last = try await ledger.statements(
            generation: generation, before: period.start, limit: 1, organisation: organisation
        ).first, last.end == period.start {
            return last.rolledOver
        }
        guard let rule = budget.record.rollover, period.start * 1000 <= now,
            let most = try? Amount.parse(rule.max.text, unit: budget.record.unit),
            let before = try await ledger.books(generation: generation, organisation: organisation).first,
            before.end == period.start
        else { return 0 }
        return max(0, min(most, before.allowance - before.committed))
    }
}

extension Figures {
    init(_ book: BookFigures, _ budget: Budget, period: Period) {
        self.init(
            period: Period(id: period.id, start: book.start, end: book.end), unit: budget.record.unit,
            amount: book.amount, adjusted: book.adjusted, rollover: book.rollover, allowance: book.allowance,
            limit: book.limit < 0 ? nil : book.limit, committed: book.committed, spent: book.spent,
            direct: book.direct, leased: book.leased, inDoubt: book.inDoubt, grantedLately: book.grantedLately,
            isOpen: true)
        // "AMOUNT:KIND:RATE,..."; `reached` counts from the lowest.
        let ceilings = book.ceilings.split(separator: ",").map { $0.split(separator: ":") }
        if book.reached > 0, let ceiling = ceilings.prefix(Int(clamping: book.reached)).last, ceiling.count >= 2 {
            reached = StepKind(rawValue: String(ceiling[1]))
        }
        let steps = (try? budget.record.ladderSteps()) ?? []
        warned = steps.contains { $0.kind == .warn && spent + inDoubt >= $0.amount(of: allowance) } && allowance > 0
    }
}
