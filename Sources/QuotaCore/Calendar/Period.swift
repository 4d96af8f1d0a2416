// One window of a budget. The console computes calendar periods ahead and stores them; nodes only compare instants.

/// A stretch of time, `[start, end)`, in seconds since 1970-01-01T00:00:00Z.
package struct Period: Sendable, Hashable, Codable {
    /// Named by the start in the budget's time zone, unique among the periods of one rule: `2026-11`, `2026-W47`.
    package let id: String
    package let start: Int64
    /// The start of the next period.
    package let end: Int64

    package init(id: String, start: Int64, end: Int64) {
        self.id = id
        self.start = start
        self.end = end
    }
}

/// How long a budget's periods are.
package enum PeriodLength: String, Sendable, Codable, CaseIterable, Hashable {
    case minute, hour, day, week, month, quarter, year
}
