// Closing periods, and the statements that are written then.

import RedisClient

extension LedgerScript {
    static let periodsClose = assemble("periods_close", PackageResources.periods_close_lua)
    static let statementsRead = assemble("statements_read", PackageResources.statements_read_lua)
}

/// The final statement of a closed period. Amounts in book units as of the close; nothing but `late` changes afterwards.
package struct Statement: Sendable, Hashable {
    /// Seconds.
    package var start: Int64
    package var periodID: String
    /// Seconds.
    package var end: Int64
    package var unit: String
    package var mode: String
    package var amount: Int64
    package var adjusted: Int64
    /// Inherited from the period before.
    package var rollover: Int64
    /// Left to the period after.
    package var rolledOver: Int64
    package var allowance: Int64
    /// -1 where nothing bounded grants.
    package var limit: Int64
    package var committed: Int64
    package var spent: Int64
    /// Charged without a reservation.
    package var direct: Int64
    package var leased: Int64
    package var inDoubt: Int64
    /// Ledger time, ms.
    package var closedAt: Int64
    /// Spent by what was booked after the close.
    package var late: Int64
    /// When something was booked last after the close, ms; nil: never.
    package var lateAt: Int64?

    init(_ text: [String]) {
        func number(_ index: Int) -> Int64 { Int64(text[index]) ?? 0 }
        start = number(0)
        periodID = text[1]
        end = number(2)
        unit = text[3]
        mode = text[4]
        amount = number(5)
        adjusted = number(6)
        rollover = number(7)
        rolledOver = number(8)
        allowance = number(9)
        limit = number(10)
        committed = number(11)
        spent = number(12)
        direct = number(13)
        leased = number(14)
        inDoubt = number(15)
        closedAt = number(16)
        late = number(17)
        lateAt = Int64(text[18])
    }
}

extension Ledger {
    /// The most books that one call closes or trims.
    package static let closedPerCall = 20

    /// Closes the periods of an organisation that are due and trims what nobody can report to any more, a bounded part at a
    /// time. Safe to call by several at once: a statement is written once.
    ///
    /// - Returns: whether there may be more to do.
    package func closePeriods(
        limit: Int = closedPerCall, organisation: String
    ) async throws(LedgerError) -> Bool {
        let reply = try await run(LedgerScript.periodsClose, organisation: organisation, [String(limit)])
        guard let done = reply.int else { throw LedgerError.unexpected("periods_close", reply) }
        return done >= Int64(limit)
    }

    /// The statements of a budget's closed periods, the newest first: those that start before `start`, at most `limit`.
    package func statements(
        generation: String, before start: Int64? = nil, limit: Int = 100, organisation: String
    ) async throws(LedgerError) -> [Statement] {
        try await statementRows([generation, "", start.map { String($0) } ?? "", String(limit)], organisation)
    }

    /// The statement of one period; nil while it is not closed.
    package func statement(
        generation: String, start: Int64, organisation: String
    ) async throws(LedgerError) -> Statement? {
        try await statementRows([generation, String(start), "", "1"], organisation).first
    }

    private func statementRows(_ arguments: [String], _ organisation: String) async throws(LedgerError) -> [Statement] {
        let reply = try await run(LedgerScript.statementsRead, organisation: organisation, arguments)
        guard let rows = reply.rows(of: 19, Statement.init) else {
            throw LedgerError.unexpected("statements_read", reply)
        }
        return rows
    }
}
