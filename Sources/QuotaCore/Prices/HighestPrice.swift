// The highest price takes a walk over the whole book, and under `UnpricedRule.max` every request of an unpriced model
// asks for it. Between two days on which prices begin the answer is the same, so the last one is kept.

import Synchronization

/// The highest price of a book that does not change, kept for as long as it holds. Copies of the book share it.
final class HighestPrice: Sendable {
    private struct Answer: Sendable {
        var begins: Int64
        /// Exclusive, except that nothing begins after `Int64.max`.
        var ends: Int64
        var price: ModelPrice?
    }

    private let index: PriceIndex
    /// When prices begin to hold, in milliseconds, ascending.
    private let changes: [Int64]
    private let last = Mutex<Answer?>(nil)

    init(_ index: PriceIndex, changes: [Int64]) {
        self.index = index
        self.changes = changes
    }

    func price(at milliseconds: Int64) -> ModelPrice? {
        last.withLock { last in
            if let last, last.begins <= milliseconds, milliseconds < last.ends { return last.price }
            let answer = Answer(
                begins: changes.last { $0 <= milliseconds } ?? .min, ends: changes.first { $0 > milliseconds } ?? .max,
                price: index.highest(at: milliseconds))
            last = answer
            return answer.price
        }
    }
}

extension HighestPrice: Hashable {
    /// What is kept follows from the book, so it makes no difference between two books.
    static func == (left: HighestPrice, right: HighestPrice) -> Bool { true }
    func hash(into hasher: inout Hasher) {}
}
