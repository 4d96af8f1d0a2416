// What models cost, and which names stand for which. One book for an organisation; it changes as a whole.

/// A price book: `{"prices":[...],"aliases":{...}}`. The version is kept beside it, not in it.
package struct PriceBook: Sendable, Hashable {
    package static let maximumPrices = 10_000
    package static let maximumAliases = 1000
    /// No prices, no aliases: every model is unpriced.
    package static let empty = PriceBook()

    /// As given, in the order given.
    package let prices: [ModelPrice]
    /// Names that stand for a model. An alias never points to another, so that one look-up is enough and none can loop.
    package let aliases: [String: String]
    /// Raised by every change; 0 for a book that was never stored.
    package var version: Int64
    private let index: PriceIndex
    /// When prices begin to hold, in milliseconds, ascending.
    private let changes: [Int64]
    private let highest: HighestPrice

    private init() {
        prices = []
        aliases = [:]
        version = 0
        index = PriceIndex()
        changes = []
        highest = HighestPrice(index, changes: changes)
    }

    /// - Throws: an error whose field names the place, such as "prices/3/input" or "aliases/fast".
    package init(prices: [ModelPrice], aliases: [String: String] = [:], version: Int64 = 0) throws(ValueError) {
        try Self.check(count: prices.count, maximum: Self.maximumPrices, field: CodingKeys.prices)
        try Self.check(count: aliases.count, maximum: Self.maximumAliases, field: CodingKeys.aliases)
        for (position, price) in prices.enumerated() {
            do { try price.validate() } catch {
                throw error.within(String(position)).within(CodingKeys.prices.rawValue)
            }
        }
        // In a fixed order, so that the same book always gives the same error.
        for (alias, model) in aliases.sorted(by: { $0.key < $1.key }) {
            do { try Self.check(alias: alias, model: model, among: aliases) } catch {
                throw error.within(alias).within(CodingKeys.aliases.rawValue)
            }
        }
        do { index = try PriceIndex(prices) } catch { throw error.within(CodingKeys.prices.rawValue) }
        changes = Set(prices.compactMap { $0.from?.milliseconds }).sorted()
        highest = HighestPrice(index, changes: changes)
        self.prices = prices
        self.aliases = aliases
        self.version = version
    }

    /// The model that a name stands for: the name itself unless it is an alias.
    package func resolve(model: String) -> String { aliases.isEmpty ? model : aliases[model] ?? model }

    /// The price of a model, aliases resolved. An exact name beats a pattern, then the longer literal beginning wins,
    /// then more literal characters; of the prices under one name the newest that has begun holds. Where none of them has
    /// begun yet, the next best pattern is asked.
    ///
    /// - Parameter milliseconds: since 1970-01-01T00:00:00Z.
    /// - Returns: nil when the model is unpriced at that time; otherwise a value to keep until `nextChange(after:)`.
    package func price(model: String, at milliseconds: Int64) -> ModelPrice? {
        index.price(model: resolve(model: model), at: milliseconds)
    }

    /// The highest price of each kind of token, for `UnpricedRule.max`. Walks the whole book once between two changes.
    ///
    /// - Returns: nil when no price holds at that time.
    package func highest(at milliseconds: Int64) -> ModelPrice? { highest.price(at: milliseconds) }

    /// When prices that were looked up must be looked up again, in milliseconds; nil: never, in this version of the book.
    package func nextChange(after milliseconds: Int64) -> Int64? { changes.first { $0 > milliseconds } }

    private static func check(count: Int, maximum: Int, field: CodingKeys) throws(ValueError) {
        if count > maximum { throw ValueError(message: "must have at most \(maximum) entries", field: field.rawValue) }
    }

    private static func check(alias: String, model: String, among aliases: [String: String]) throws(ValueError) {
        try ModelPrice.validate(name: alias)
        try ModelPrice.validate(name: model)
        if alias.utf8.contains(ModelPattern.star) || model.utf8.contains(ModelPattern.star) {
            throw ValueError(message: "must not have a * in its name or model")
        }
        if aliases[model] != nil { throw ValueError(message: "must not stand for another alias") }
    }
}

extension PriceBook: Codable {
    package enum CodingKeys: String, CodingKey, CaseIterable, Sendable { case prices, aliases }

    /// Both parts may be left out. The version is 0: set it from where the book was stored.
    package init(from decoder: any Decoder) throws {
        try decoder.refuseUnknownFields(besides: CodingKeys.self)
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let prices = try container.decodeIfPresent([ModelPrice].self, forKey: .prices) ?? []
        let aliases = try container.decodeIfPresent([String: String].self, forKey: .aliases) ?? [:]
        do { try self.init(prices: prices, aliases: aliases) } catch { throw decoder.refusal(error) }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(prices, forKey: .prices)
        try container.encode(aliases, forKey: .aliases)
    }
}
