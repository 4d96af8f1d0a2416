// G9: usage belongs to the period in which it was reserved, and a statement says what the books say.

import Ledger
import QuotaCore

extension World {
    /// A node may be this much behind the ledger's time: half of the way of the answer by which it set its clock.
    private static let clockError: Int64 = 500

    /// A hold is made in the periods of its moment.
    func periodCheck(_ holds: [LeaseKey: Int64], _ setup: Setup) {
        for key in holds.keys {
            guard let budget = setup.budgets.first(where: { $0.generation == key.generation }),
                let period = budget.periods.first(where: { $0.start == key.start })
            else { continue }
            if now + Self.clockError < period.start * 1000 || now - Self.clockError >= period.end * 1000 {
                breach =
                    breach
                    ?? "G9 \(key): admitted at \(now) (\(now - begin)), the period is \(period.start) to \(period.end)"
            }
        }
    }

    /// The console closes every period that has ended, when they may be closed.
    func closePeriods(_ setup: Setup) async throws {
        skip(to: now + 2 * 3_600_000)
        var more = true
        while more { more = try await books.closePeriods(organisation: World.organisation) }
        try await check("closing")
        let rows = try await leaseRows()
        for budget in setup.budgets {
            for period in budget.periods where period.end * 1000 + 3_700_000 < now {
                let key = LeaseKey(generation: budget.generation, start: period.start)
                guard rows.keys.contains(where: { $0.key == key }) else { continue }
                let statement = try await books.statement(
                    generation: key.generation, start: key.start, organisation: World.organisation)
                let book = try await books.books(
                    generation: key.generation, start: key.start, organisation: World.organisation
                ).first
                guard let statement, let book else { throw Violation(description: "G9 \(key) was not closed") }
                let spent = statement.spent + statement.late
                if spent != book.spentFromRows || statement.late != 0 {
                    throw Violation(
                        description: "G9 \(key): the statement says \(statement.spent) and \(statement.late) late, "
                            + "the rows \(book.spentFromRows)")
                }
                count("closed")
            }
        }
    }
}
