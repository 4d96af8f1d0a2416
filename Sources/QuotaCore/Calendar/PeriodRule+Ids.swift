// From the id of a period back to the period: users name periods in URLs and in rules that begin later.

extension PeriodRule {
    /// The period with an id.
    ///
    /// - Returns: nil when the rule has no period of that id, such as `2026-Q4` for months or a day that the zone skipped.
    package func period(id: String) -> Period? {
        guard let day = Self.dayWithin(id: id, every: every) else { return nil }
        // The search starts at a day that the id itself tells, with room for what `startsOnDay` and zones shift; the ids
        // of the periods around it decide. That way there is one place that knows how ids are made.
        let reach: Int64 = every == .year || every == .quarter ? 366 : 33
        var instant = (day.number - reach) * LocalClock.secondsPerDay
        var end = (day.number + reach) * LocalClock.secondsPerDay
        if every == .minute || every == .hour {
            instant = day.number * LocalClock.secondsPerDay + day.seconds
            end = instant + 1
        }
        while instant < end {
            let period = period(containing: instant)
            if period.id == id { return period }
            instant = period.end
        }
        return nil
    }

    /// A day at or near the start of the period, and the seconds into it, read from the id.
    private static func dayWithin(id: String, every: PeriodLength) -> (number: Int64, seconds: Int64)? {
        let text = id.utf8
        guard text.count >= 4, let year = CivilDate.number(id.prefix(4)), year > 0 else { return nil }
        let firstOfYear = CivilDate(year: year, month: 1, day: 1).dayNumber
        let rest = id.dropFirst(4)
        switch every {
        case .year:
            return rest.isEmpty ? (firstOfYear, 0) : nil
        case .quarter:
            guard rest.hasPrefix("-Q"), let quarter = CivilDate.number(rest.dropFirst(2)), (1...4).contains(quarter)
            else { return nil }
            return (firstOfYear + (quarter - 1) * 91, 0)
        case .month:
            guard rest.hasPrefix("-"), let month = CivilDate.number(rest.dropFirst()), (1...12).contains(month)
            else { return nil }
            return (CivilDate(year: year, month: month, day: 1).dayNumber, 0)
        case .week:
            guard rest.hasPrefix("-W"), let week = CivilDate.number(rest.dropFirst(2)), (1...53).contains(week)
            else { return nil }
            return (firstOfYear + (week - 1) * 7, 0)
        case .day:
            return CivilDate(parsing: id).map { ($0.dayNumber, 0) }
        case .hour, .minute:
            guard let date = CivilDate(parsing: id.prefix(10)), id.hasSuffix("Z") else { return nil }
            let time = id.dropFirst(11).dropLast().split(separator: ":", omittingEmptySubsequences: false)
            guard time.count == (every == .hour ? 1 : 2), let hour = CivilDate.number(time[0]), hour < 24,
                let minute = time.count == 1 ? 0 : CivilDate.number(time[1]), minute < 60
            else { return nil }
            return (date.dayNumber, hour * 3600 + minute * 60)
        }
    }
}
