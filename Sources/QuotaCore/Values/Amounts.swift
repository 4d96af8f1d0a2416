// One request is charged in all units at once, so its figures travel together.

/// Figures in node units: tokens, nano-dollars, requests.
package struct Amounts: Sendable, Hashable, Codable {
    package var tokens: Int64
    /// Nano-dollars.
    package var usd: Int64
    package var requests: Int64

    package static let zero = Amounts()

    package init(tokens: Int64 = 0, usd: Int64 = 0, requests: Int64 = 0) {
        self.tokens = tokens
        self.usd = usd
        self.requests = requests
    }

    package subscript(unit: BudgetUnit) -> Int64 {
        get {
            switch unit {
            case .usd: usd
            case .tokens: tokens
            case .requests: requests
            }
        }
        set {
            switch unit {
            case .usd: usd = newValue
            case .tokens: tokens = newValue
            case .requests: requests = newValue
            }
        }
    }
}
