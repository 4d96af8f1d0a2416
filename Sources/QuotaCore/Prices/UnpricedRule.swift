// What an organisation does about models that its price book does not know.

/// How a request is treated whose model has no price.
package enum UnpricedRule: String, Sendable, Codable, CaseIterable, Hashable {
    /// Refuse it: 422 `unpriced_model`.
    case deny
    /// Charge, for each kind of token, the highest price in the book.
    case max
    /// Charge no dollars. Tokens and requests count all the same.
    case free
}
