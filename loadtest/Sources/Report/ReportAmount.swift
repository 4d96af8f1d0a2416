// Amounts in the report follow the rule of all interfaces: dollars are a decimal string, counts are integers.

import QuotaCore

/// An amount of a budget.
package enum ReportAmount: Sendable, Hashable, Codable, CustomStringConvertible {
    case microDollars(Int64)
    /// Tokens or requests.
    case count(Int64)

    package init(_ bookParts: Int64, unit: BudgetUnit) {
        self = unit == .usd ? .microDollars(bookParts) : .count(bookParts)
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let count = try? container.decode(Int64.self) {
            self = .count(count)
            return
        }
        let text = try container.decode(String.self)
        guard let amount = try? Amount.parse(text, unit: .usd, signed: true) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "'\(text)' is no amount in dollars")
        }
        self = .microDollars(amount)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .microDollars: try container.encode(description)
        case .count(let count): try container.encode(count)
        }
    }

    /// The number alone: `1203.5`, `5000`.
    package var description: String {
        switch self {
        case .microDollars(let amount): Amount.format(amount, unit: .usd)
        case .count(let count): String(count)
        }
    }
}
