// Prices change at the start of a day in UTC, the same instant for every node and every budget.

/// A day in the form `2026-01-01`; the day begins at midnight UTC.
package struct PriceDate: Sendable, Hashable, Comparable {
    /// Days since 1970-01-01.
    package let day: Int64

    /// - Throws: when the text is not a day of the calendar between the years 1970 and 9999.
    package init(parsing text: String) throws(ValueError) {
        guard let date = CivilDate(parsing: text), date.year >= 1970 else {
            throw ValueError(message: "must be a date like 2026-01-01")
        }
        day = date.dayNumber
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    package var milliseconds: Int64 { day * 86_400_000 }

    package static func < (left: PriceDate, right: PriceDate) -> Bool { left.day < right.day }
}

extension PriceDate: CustomStringConvertible {
    package var description: String { CivilDate(dayNumber: day).description }
}
