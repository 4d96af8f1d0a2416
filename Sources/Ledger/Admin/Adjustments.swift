// Adjustments: raises and cuts of what a budget gives, for a period, a while or good.

import RedisClient

extension LedgerScript {
    static let adjustmentPut = assemble("adjustment_put", PackageResources.adjustment_put_lua)
    static let adjustmentDelete = assemble("adjustment_delete", PackageResources.adjustment_delete_lua)
    static let adjustmentsList = assemble("adjustments_list", PackageResources.adjustments_list_lua)
}

/// Until when an adjustment holds.
package enum AdjustmentEnd: Sendable, Hashable {
    /// To the end of the period that it begins in.
    case periodEnd
    case never
    /// Ledger time, ms.
    case at(Int64)

    var text: String {
        switch self {
        case .periodEnd: "period_end"
        case .never: "never"
        case .at(let milliseconds): String(milliseconds)
        }
    }

    init?(_ text: String) {
        switch text {
        case "period_end": self = .periodEnd
        case "never": self = .never
        default:
            guard let milliseconds = Int64(text) else { return nil }
            self = .at(milliseconds)
        }
    }
}

/// An adjustment of a budget.
package struct AdjustmentRow: Sendable, Hashable {
    package var id: String
    /// Signed, in book units.
    package var amount: Int64
    package var expires: AdjustmentEnd
    /// Start of the first period it holds in, seconds.
    package var periodStart: Int64
    /// ms.
    package var createdAt: Int64
    /// JSON: reason and actor.
    package var record: String

    init(_ text: [String]) {
        id = text[0]
        amount = Int64(text[1]) ?? 0
        expires = AdjustmentEnd(text[2]) ?? .at(0)
        periodStart = Int64(text[3]) ?? 0
        createdAt = Int64(text[4]) ?? 0
        record = text[5]
    }
}

extension Ledger {
    /// Adds an adjustment under an id of its own. `change.expectedVersion` is nil or 0.
    ///
    /// - Throws: `.conflict` when the id is in use, the period or the end is over, there are a thousand, or all together
    ///   (without their signs) exceed the largest amount.
    package func putAdjustment(
        account: String, budget: String, id: String, amount: Int64, expires: AdjustmentEnd, periodStart: Int64,
        record: String, change: Change, organisation: String
    ) async throws(LedgerError) -> Written {
        try await write(
            LedgerScript.adjustmentPut, change,
            [account, budget, id, String(amount), expires.text, String(periodStart), record], organisation: organisation
        )
    }

    /// Takes an adjustment back; ended periods keep what they had. `change.expectedVersion` is nil.
    package func deleteAdjustment(
        account: String, budget: String, id: String, change: Change, organisation: String
    ) async throws(LedgerError) -> Written {
        try await write(LedgerScript.adjustmentDelete, change, [account, budget, id], organisation: organisation)
    }

    /// All adjustments of a budget, oldest first, expired ones too.
    package func adjustments(
        account: String, budget: String, organisation: String
    ) async throws(LedgerError) -> [AdjustmentRow] {
        let reply = try await run(LedgerScript.adjustmentsList, organisation: organisation, [account, budget])
        guard let rows = reply.rows(of: 6, AdjustmentRow.init) else {
            throw LedgerError.unexpected("adjustments_list", reply)
        }
        return rows
    }
}
