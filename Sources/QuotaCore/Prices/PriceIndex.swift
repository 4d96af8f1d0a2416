// Finding the price of a model without walking the book: a dictionary for names, and one for the literal beginnings of
// patterns, probed from the longest to the shortest.

/// All prices under one name or pattern, the newest first.
struct PriceSeries: Sendable, Hashable {
    private(set) var prices: [ModelPrice] = []

    /// - Returns: false when there is already a price from that day.
    mutating func insert(_ price: ModelPrice) -> Bool {
        var position = 0
        // Books are usually written in the order of time; then the new price is the newest and goes first.
        while position < prices.count, PriceIndex.start(of: prices[position]) > PriceIndex.start(of: price) {
            position += 1
        }
        if position < prices.count, PriceIndex.start(of: prices[position]) == PriceIndex.start(of: price) {
            return false
        }
        prices.insert(price, at: position)
        return true
    }

    func price(at milliseconds: Int64) -> ModelPrice? {
        prices.first { PriceIndex.start(of: $0) <= milliseconds }
    }
}

/// The compiled form of a price book.
struct PriceIndex: Sendable, Hashable {
    private struct Wildcard: Sendable, Hashable {
        let pattern: ModelPattern
        var series: PriceSeries
    }

    private var names: [String: PriceSeries] = [:]
    /// By literal beginning; within one, more literal bytes first, then by the pattern's text, so that the order is total.
    private var wildcards: [String: [Wildcard]] = [:]
    /// The lengths of the literal beginnings that occur, the longest first.
    private var prefixLengths: [Int] = []

    /// Milliseconds at which a price begins to hold.
    static func start(of price: ModelPrice) -> Int64 { price.from?.milliseconds ?? .min }

    /// Knows no model.
    init() {}

    /// - Throws: when a price has the same pattern and day as an earlier one; the field is the position in the list.
    init(_ prices: [ModelPrice]) throws(ValueError) {
        var patterns: [String: PriceSeries] = [:]
        for (position, price) in prices.enumerated() {
            let isNew =
                price.model.utf8.contains(ModelPattern.star)
                ? patterns[price.model, default: PriceSeries()].insert(price)
                : names[price.model, default: PriceSeries()].insert(price)
            guard isNew else {
                throw ValueError(message: "has the same model and date as an earlier price", field: String(position))
            }
        }
        for (text, series) in patterns {
            let pattern = ModelPattern(text)
            wildcards[pattern.prefix, default: []].append(Wildcard(pattern: pattern, series: series))
        }
        for prefix in wildcards.keys {
            wildcards[prefix]?.sort { left, right in
                left.pattern.literalLength == right.pattern.literalLength
                    ? left.pattern.text < right.pattern.text : left.pattern.literalLength > right.pattern.literalLength
            }
        }
        prefixLengths = Set(wildcards.keys.map(\.utf8.count)).sorted(by: >)
    }

    func price(model: String, at milliseconds: Int64) -> ModelPrice? {
        if let price = names[model]?.price(at: milliseconds) { return price }
        if prefixLengths.isEmpty { return nil }
        let bytes = Array(model.utf8)
        for length in prefixLengths where length <= bytes.count {
            for wildcard in wildcards[String(decoding: bytes[..<length], as: UTF8.self)] ?? [] {
                guard wildcard.pattern.matches(bytes), let price = wildcard.series.price(at: milliseconds) else {
                    continue
                }
                return price
            }
        }
        return nil
    }

    /// For each kind of token the highest price that holds; nil when none holds.
    func highest(at milliseconds: Int64) -> ModelPrice? {
        var highest: ModelPrice?
        for price in allSeries.compactMap({ $0.price(at: milliseconds) }) {
            highest = (highest ?? price).maximum(price)
        }
        return highest
    }

    private var allSeries: [PriceSeries] { Array(names.values) + wildcards.values.joined().map(\.series) }
}
