// What budgets count in, and how the fine units of a node become the coarse units of the books.

/// The unit of a budget.
package enum BudgetUnit: String, Sendable, Codable, CaseIterable, Hashable {
    case usd, tokens, requests

    /// Node units per book unit. A node counts nano-dollars because a single token may cost less than a micro-dollar;
    /// the books count micro-dollars so that large budgets stay below 2^53, where Lua's numbers are exact.
    package var nodeScale: Int64 {
        switch self {
        case .usd: 1000
        case .tokens, .requests: 1
        }
    }

    /// Book units for a cumulative count in node units, rounded up: the books never show less than was spent.
    ///
    /// - Parameter nodeUnits: not negative.
    package func bookUnits(roundingUp nodeUnits: Int64) -> Int64 {
        precondition(nodeUnits >= 0, "cumulative counts do not go below zero")
        let scale = nodeScale
        return nodeUnits / scale + (nodeUnits % scale == 0 ? 0 : 1)
    }

    /// Node units for an amount of the books; exact, because no amount exceeds `Amount.maximum`.
    package func nodeUnits(_ bookUnits: Int64) -> Int64 { bookUnits * nodeScale }
}
