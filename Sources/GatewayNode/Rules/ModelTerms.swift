// What a model means for an account: may it be used, what does it cost.

import QuotaCore

/// The prices in force and the organisation's rule for models without one.
struct Pricing: Sendable {
    var book: PriceBook
    var unpriced: UnpricedRule

    /// The price of a model at a ledger time; nil when it has none and the rule is `deny`.
    func price(_ model: String?, at time: Int64) -> ModelPrice? {
        if let model, let price = book.price(model: book.resolve(model: model), at: time) { return price }
        switch unpriced {
        case .deny: return nil
        case .max: return book.highest(at: time)
        case .free: return .free
        }
    }
}

/// A model as one account may use it. Kept with the account, so that a request looks it up once.
struct ModelTerms: Sendable {
    var allowed: Bool
    var price: ModelPrice?

    /// What a request is expected to use. Nil when dollars are needed and there is no price.
    func amounts(_ estimate: Estimate, needsDollars: Bool) -> Amounts? {
        var amounts = Amounts.zero
        amounts.requests = estimate.requests ?? 1
        let input = estimate.inputTokens ?? 0
        let output = estimate.outputTokens ?? (estimate.inputTokens != nil ? price?.maxOutputTokens ?? 0 : 0)
        amounts.tokens = estimate.tokens ?? (input + output)
        if let usd = estimate.usd {
            amounts.usd = usd
        } else if needsDollars {
            guard let price else { return nil }
            // Tokens of unknown kind are priced as output, the dearer one.
            amounts.usd =
                estimate.inputTokens == nil && estimate.outputTokens == nil
                ? price.estimate(inputTokens: 0, outputTokens: amounts.tokens)
                : price.estimate(inputTokens: input, outputTokens: output)
        }
        return amounts
    }
}

extension ModelPrice {
    /// A model that costs nothing.
    static let free = ModelPrice(model: "*", input: 0, output: 0)
}

/// `*` matches any run of characters.
package enum Pattern {
    package static func matches(_ pattern: String, _ text: String) -> Bool {
        let p = Array(pattern.utf8)
        let t = Array(text.utf8)
        var i = 0, k = 0, star = -1, mark = 0
        while k < t.count {
            if i < p.count, p[i] == UInt8(ascii: "*") {
                star = i
                mark = k
                i += 1
            } else if i < p.count, p[i] == t[k] {
                i += 1
                k += 1
            } else if star >= 0 {
                i = star + 1
                mark += 1
                k = mark
            } else {
                return false
            }
        }
        while i < p.count, p[i] == UInt8(ascii: "*") { i += 1 }
        return i == p.count
    }
}
