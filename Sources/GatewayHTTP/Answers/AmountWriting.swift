// Amounts and figures on the wire: dollars as decimal strings, counts as integers; figures that the caller may not
// read as null.

import GatewayNode
import HTTPSupport
import QuotaCore

extension JSONWriter {
    /// An amount in book units (micro-dollars, tokens, requests).
    mutating func bookAmount(_ key: StaticString, _ value: Int64?, _ unit: BudgetUnit) {
        if unit == .usd { decimal(key, value, places: 6) } else { field(key, value) }
    }

    /// Amounts in node units (nano-dollars, tokens, requests); all three, or only those that are not zero.
    mutating func nodeAmounts(_ key: StaticString, _ amounts: Amounts, zeros: Bool = true) {
        object(key) { json in
            if zeros || amounts[.tokens] != 0 { json.field("tokens", amounts[.tokens]) }
            if zeros || amounts[.usd] != 0 { json.decimal("usd", amounts[.usd], places: 9) }
            if zeros || amounts[.requests] != 0 { json.field("requests", amounts[.requests]) }
        }
    }

    /// Amounts in node units by unit.
    mutating func nodeAmounts(_ key: StaticString, _ amounts: [BudgetUnit: Int64]) {
        object(key) { json in
            if let tokens = amounts[.tokens] { json.field("tokens", tokens) }
            if let dollars = amounts[.usd] { json.decimal("usd", dollars, places: 9) }
            if let requests = amounts[.requests] { json.field("requests", requests) }
        }
    }

    /// The members of one budget's figures.
    mutating func figures(_ figures: BudgetFigures, _ horizon: Horizon) {
        let visible = horizon.sees(figures)
        field("account", visible ? figures.account : nil)
        field("budget", visible ? figures.budget : nil)
        field("unit", figures.unit.rawValue)
        bookAmount("allowance", visible ? figures.allowance : nil, figures.unit)
        bookAmount("remaining", visible ? figures.remaining : nil, figures.unit)
        time("resets_at", figures.resetsAt)
        time("as_of", figures.asOf)
    }

    mutating func figuresList(_ key: StaticString, _ list: [BudgetFigures], _ horizon: Horizon) {
        array(key, list) { json, item in json.object { $0.figures(item, horizon) } }
    }
}
