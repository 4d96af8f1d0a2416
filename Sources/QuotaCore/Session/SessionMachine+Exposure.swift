// What may be overspent on the budgets that this session holds leases of, as far as it knows.

extension SessionMachine {
    /// Terms of the exposure, in book units.
    package struct Exposure: Sendable, Hashable {
        /// What is committed above the limit.
        package var aboveLimit: Int64 = 0
        /// What nodes may spend together while the ledger is out of reach.
        package var emergency: Int64 = 0
    }

    /// The sums over all leases whose budget is enforced, by unit.
    package func exposure() -> [BudgetUnit: Exposure] {
        var sums: [BudgetUnit: Exposure] = [:]
        for (key, state) in leases {
            let figures = state.lease.figures
            guard figures.asOf > 0, figures.limit >= 0 else { continue }
            sums[state.lease.unit, default: Exposure()].aboveLimit += max(0, figures.committed - figures.limit)
            sums[state.lease.unit, default: Exposure()].emergency += emergencyAmounts[key.generation] ?? 0
        }
        return sums
    }
}
