// The figures of a budget's period as the books have them, with their sums made anew: G1 can be checked by anyone.

import RedisClient

extension LedgerScript {
    static let booksRead = assemble("books_read", PackageResources.books_read_lua)
}

/// One budget period's books. Amounts in book units, times in seconds.
package struct BookFigures: Sendable, Hashable {
    package var start: Int64
    package var end: Int64
    package var periodID: String
    package var unit: String
    package var mode: String
    package var allowance: Int64
    /// -1 where nothing bounds grants.
    package var limit: Int64
    package var committed: Int64
    package var spent: Int64
    /// Charged without a reservation.
    package var direct: Int64
    package var leased: Int64
    package var inDoubt: Int64
    /// `committed` and `spent` as the lease rows add up to.
    package var committedFromRows: Int64
    package var spentFromRows: Int64
    /// Count of ceilings reached.
    package var reached: Int64
    package var ceilings: String
    package var steps: String
    /// Count of warn steps announced.
    package var warned: Int64
    package var amount: Int64
    package var adjusted: Int64
    package var rollover: Int64
    /// Sessions that live and hold a lease.
    package var sessions: Int64
    package var account: String
    package var budget: String
    /// Ledger time in ms at which the period may be closed, or was.
    package var closesAt: Int64
    package var isClosed: Bool
    /// Granted in the last two seconds, or up to four: what Redis may lose.
    package var grantedLately: Int64

    package var available: Int64 { allowance - committed }
    package var remaining: Int64 { allowance - spent - inDoubt }

    /// What is wrong with these books: nothing, or one sentence for each broken rule (G1, G2).
    package var violations: [String] {
        var list: [String] = []
        if committed != committedFromRows {
            list.append("committed is \(committed), the leases say \(committedFromRows)")
        }
        if spent != spentFromRows { list.append("spent is \(spent), the leases say \(spentFromRows)") }
        if available + spent + leased + inDoubt != allowance {
            list.append(
                "allowance \(allowance) is not available \(available) + spent \(spent) + leased \(leased) + in doubt \(inDoubt)"
            )
        }
        if leased < 0 || inDoubt < 0 || spent < 0 { list.append("a figure is negative") }
        return list
    }
}

extension Ledger {
    /// Reads the books of one period, or of the newest `limit` opened periods when `start` is nil.
    package func books(
        generation: String, start: Int64? = nil, limit: Int = 1, organisation: String
    ) async throws(LedgerError) -> [BookFigures] {
        let reply = try await run(
            LedgerScript.booksRead, organisation: organisation,
            [generation, start.map(String.init) ?? "", String(limit)])
        guard let list = reply.array else { throw LedgerError.unexpected("books_read", reply) }
        var books: [BookFigures] = []
        for item in list {
            guard let fields = item.array, fields.count == 27 else { throw LedgerError.unexpected("books_read", reply) }
            let text = fields.map { $0.string ?? "" }
            func number(_ index: Int) -> Int64 { Int64(text[index]) ?? 0 }
            books.append(
                BookFigures(
                    start: number(0), end: number(1), periodID: text[2], unit: text[3], mode: text[4],
                    allowance: number(5), limit: number(6), committed: number(7), spent: number(8), direct: number(9),
                    leased: number(10), inDoubt: number(11), committedFromRows: number(12), spentFromRows: number(13),
                    reached: number(14), ceilings: text[15], steps: text[16], warned: number(17), amount: number(18),
                    adjusted: number(19), rollover: number(20), sessions: number(21), account: text[22],
                    budget: text[23], closesAt: number(24), isClosed: text[25] == "1", grantedLately: number(26)))
        }
        return books
    }
}
