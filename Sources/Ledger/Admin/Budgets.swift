// Budgets: their rules and their calendar periods.

import RedisClient

extension LedgerScript {
    static let budgetPut = assemble("budget_put", PackageResources.budget_put_lua)
    static let budgetDelete = assemble("budget_delete", PackageResources.budget_delete_lua)
    static let budgetsList = assemble("budgets_list", PackageResources.budgets_list_lua)
    static let periodsExtend = assemble("periods_extend", PackageResources.periods_extend_lua)
}

/// A budget as the books have it; the texts are those of the budget's hash.
package struct BudgetRow: Sendable, Hashable {
    package var name: String
    /// JSON.
    package var record: String
    package var version: Int64
    package var generation: String
    package var unit: String
    package var amount: Int64
    package var mode: String
    package var steps: String
    package var nextAmount: Int64?
    package var nextFrom: String
    package var rolloverMax: Int64?
    package var every: String
    package var periods: String
    package var abandoned: String
    package var outage: String

    init(_ text: [String]) {
        name = text[0]
        record = text[1]
        version = Int64(text[2]) ?? 0
        generation = text[3]
        unit = text[4]
        amount = Int64(text[5]) ?? 0
        mode = text[6]
        steps = text[7]
        nextAmount = Int64(text[8])
        nextFrom = text[9]
        rolloverMax = Int64(text[10])
        every = text[11]
        periods = text[12]
        abandoned = text[13]
        outage = text[14]
    }
}

extension Ledger {
    /// Makes or changes a budget, and its current and later opened books with it.
    ///
    /// - Parameter fields: fields of the budget's hash and their texts. A new budget needs `record generation unit amount
    ///   every`, and `periods` unless it is by minute or hour; an existing one keeps what is left out, and its generation.
    /// - Throws: `.conflict` when unit, `every` or an open period would change, for an archived account, for a generation
    ///   in use, and when the account has eight budgets.
    package func putBudget(
        account: String, name: String, fields: [(String, String)], change: Change, organisation: String
    ) async throws(LedgerError) -> Written {
        try await write(
            LedgerScript.budgetPut, change, [account, name] + fields.flatMap { [$0.0, $0.1] },
            organisation: organisation)
    }

    /// Removes a budget; its generation and books stay for late reports.
    package func deleteBudget(
        account: String, name: String, change: Change, organisation: String
    ) async throws(LedgerError) -> Written {
        try await write(LedgerScript.budgetDelete, change, [account, name], organisation: organisation)
    }

    /// Stores more calendar periods, `START:END:ID,...`. Nothing is written when all of them are stored.
    ///
    /// - Throws: `.conflict` when one would change a stored period or leave a gap.
    package func extendPeriods(
        account: String, name: String, periods: String, change: Change, organisation: String
    ) async throws(LedgerError) -> Written {
        try await write(LedgerScript.periodsExtend, change, [account, name, periods], organisation: organisation)
    }

    /// All budgets of an account by name.
    package func budgets(account: String, organisation: String) async throws(LedgerError) -> [BudgetRow] {
        try await budgetRows(account, "", organisation)
    }

    package func budget(account: String, name: String, organisation: String) async throws(LedgerError) -> BudgetRow {
        guard !name.isEmpty, let row = try await budgetRows(account, name, organisation).first else {
            throw LedgerError(.notFound, "account \(account) has no budget \(name)")
        }
        return row
    }

    private func budgetRows(
        _ account: String, _ name: String, _ organisation: String
    ) async throws(LedgerError) -> [BudgetRow] {
        let reply = try await run(LedgerScript.budgetsList, organisation: organisation, [account, name])
        guard let rows = reply.rows(of: 15, BudgetRow.init) else { throw LedgerError.unexpected("budgets_list", reply) }
        return rows
    }
}
