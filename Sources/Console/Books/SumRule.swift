// What heads may give away: the budgets below an account sum up, for each unit and length of period, to no more than the
// account's own allowance, unless the account says `overcommit`. Admins are not bound by it.

import HTTPSupport
import Ledger
import QuotaCore

extension Console {
    /// The most accounts that are looked at for one sum.
    private static let maximumAccounts = 10_000

    /// Checks what a head is about to give.
    ///
    /// - Parameters:
    ///   - allowance: what the budget will give, book units.
    ///   - path: from the account that gets it to the root.
    /// - Throws: 409 `sum_exceeded`.
    func checkSum(
        giving allowance: Int64, budget name: String, unit: BudgetUnit, every: PeriodLength, path: ResolvedPath,
        visitor: Visitor
    ) async throws {
        guard visitor.role == .head, let account = path.accounts.first else { return }
        guard let own = path.accounts.firstIndex(where: { $0.id == visitor.account }) else { return }
        // The nearest account above that has such a budget answers for the sum; above the head's own others do.
        for above in path.accounts[1...own] {
            var bound: Int64?
            for row in above.budgets where row.unit == unit.rawValue && row.every == every.rawValue {
                let figures = try await figures(
                    Budget(row), account: above.id, now: path.now, organisation: visitor.organisation)
                bound = min(bound ?? .max, figures.allowance)
            }
            guard let bound else { continue }
            let record = try RecordCoding.decode(AccountRecord.self, from: above.record)
            if record.overcommit == true { return }
            let others = try await allowances(
                below: above.id, without: account.id, unit: unit, every: every, now: path.now,
                organisation: visitor.organisation)
            let kept = try await largest(
                of: account.id, account.budgets.filter { $0.name != name }, unit: unit, every: every, now: path.now,
                organisation: visitor.organisation)
            guard others + max(allowance, kept) <= bound else {
                throw Problem.conflict(
                    "The budgets below \(above.id) would sum up to \(Amount.format(others + max(allowance, kept), unit: unit)) "
                        + "\(unit.rawValue), more than its own \(Amount.format(bound, unit: unit)).",
                    code: "sum_exceeded")
            }
            return
        }
    }

    /// The sum over the topmost accounts below one that have such a budget; what is under those is theirs to divide.
    private func allowances(
        below root: String, without left: String, unit: BudgetUnit, every: PeriodLength, now: Int64,
        organisation: String
    ) async throws -> Int64 {
        var children: [String: [String]] = [:]
        var cursor: String?
        var seen = 0
        repeat {
            let page = try await ledger.accounts(after: cursor, limit: 1000, organisation: organisation)
            for row in page.items where !row.archived { children[row.parent, default: []].append(row.id) }
            seen += page.items.count
            guard seen <= Self.maximumAccounts else {
                throw Problem.conflict("There are too many accounts to sum up; an admin can set this.")
            }
            cursor = page.next
        } while cursor != nil
        var sum: Int64 = 0
        var open = children[root] ?? []
        while let account = open.popLast() {
            if account == left { continue }
            let rows = try await ledger.resolve(account: account, organisation: organisation).accounts.first?.budgets
            let own = try await largest(
                of: account, rows ?? [], unit: unit, every: every, now: now, organisation: organisation)
            if own > 0 { sum += own } else { open += children[account] ?? [] }
        }
        return sum
    }

    private func largest(
        of account: String, _ rows: [ResolvedBudget], unit: BudgetUnit, every: PeriodLength, now: Int64,
        organisation: String
    ) async throws -> Int64 {
        var most: Int64 = 0
        for row in rows where row.unit == unit.rawValue && row.every == every.rawValue {
            let figures = try await figures(Budget(row), account: account, now: now, organisation: organisation)
            most = max(most, figures.allowance)
        }
        return most
    }
}
