// What a node counts, for metrics and tests.

import Synchronization

/// A monotonic counter.
package final class Counter: Sendable {
    private let value = Atomic<Int64>(0)
    package init() {}
    package func add(_ count: Int64) { value.wrappingAdd(count, ordering: .relaxed) }
    package var total: Int64 { value.load(ordering: .relaxed) }
}

package final class NodeCounters: Sendable {
    package let admitted = Counter()
    package let committed = Counter()
    package let expired = Counter()
    package let waits = Counter()
    package let exchanges = Counter()
    package let exchangeFailures = Counter()
    package let relayed = Counter()
    package let settledByLedger = Counter()
    package let sessionsLost = Counter()
    package let newsReads = Counter()
    private let refusals: [Refusal.Code: Counter] = Dictionary(
        uniqueKeysWithValues: Refusal.Code.allCases.map { ($0, Counter()) })
    private let other = Counter()

    package func refused(_ code: Refusal.Code) -> Counter { refusals[code] ?? other }
}
