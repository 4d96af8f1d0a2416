// How much money is in doubt as time goes by: the most, what of it was resolved, what is left.

/// Built from readings of the sum over all budgets without one above them.
package struct DoubtWatch: Sendable, Hashable {
    package private(set) var peak: Int64 = 0
    /// What left the doubt again: its session came back or said goodbye, or others' commits were booked on it.
    package private(set) var resolved: Int64 = 0
    package private(set) var last: Int64 = 0

    package init() {}

    package mutating func see(_ inDoubt: Int64) {
        peak = max(peak, inDoubt)
        resolved += max(0, last - inDoubt)
        last = inDoubt
    }
}
