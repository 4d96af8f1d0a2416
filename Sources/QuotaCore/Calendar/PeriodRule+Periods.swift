// From a rule to its periods. Periods are numbered on one line; each has a first day, each day a first instant. That the
// next period starts where one ends then needs no proof: both are the start of the same number.

extension PeriodRule {
    /// The period at an instant.
    ///
    /// - Parameter epochSeconds: an instant in the years 1 to 9999.
    package func period(containing epochSeconds: Int64) -> Period {
        let number = number(containing: epochSeconds)
        return Period(id: id(of: number), start: start(of: number), end: start(of: number + 1))
    }

    /// The period that starts when another one ends.
    package func next(after period: Period) -> Period { self.period(containing: period.end) }

    /// Consecutive periods, the first of them the one at `epochSeconds`.
    package func upcoming(from epochSeconds: Int64, count: Int) -> [Period] {
        precondition(count >= 0, "a count is not negative")
        var periods: [Period] = []
        var number = number(containing: epochSeconds)
        var start = start(of: number)
        while periods.count < count {
            let end = self.start(of: number + 1)
            // Empty where the zone skipped a day: such a period has no instant, so it is none.
            if start < end { periods.append(Period(id: id(of: number), start: start, end: end)) }
            number += 1
            start = end
        }
        return periods
    }

    private func number(containing instant: Int64) -> Int64 {
        var number = number(near: instant)
        // The date alone may name a neighbour: before `startsOnDay` the month's period has not begun; and where clocks go
        // back across midnight, yesterday's date is shown again after today has begun.
        while start(of: number + 1) <= instant { number += 1 }
        while start(of: number) > instant { number -= 1 }
        return number
    }

    /// The number of a period near an instant: exact for minutes, hours, days and weeks by date, else that of the period
    /// which begins in the date's month, quarter or year.
    private func number(near instant: Int64) -> Int64 {
        switch every {
        case .minute: return instant.flooredQuotient(by: 60)
        case .hour: return instant.flooredQuotient(by: 3600)
        case .day: return clock.day(at: instant)
        case .week: return (clock.day(at: instant) - firstWeekday).flooredQuotient(by: 7)
        case .month, .quarter, .year:
            let date = CivilDate(dayNumber: clock.day(at: instant))
            return (date.year * 12 + date.month - 1 - firstMonth).flooredQuotient(by: monthsPerPeriod)
        }
    }

    private func start(of number: Int64) -> Int64 {
        switch every {
        case .minute: number * 60
        case .hour: number * 3600
        case .day, .week, .month, .quarter, .year: clock.start(ofDay: firstDay(of: number))
        }
    }

    /// The day on which a period of whole days begins, counted from 1970-01-01.
    private func firstDay(of number: Int64) -> Int64 {
        switch every {
        case .minute, .hour: preconditionFailure("minutes and hours are counted in seconds")
        case .day: return number
        case .week: return number * 7 + firstWeekday
        case .month, .quarter, .year:
            let (year, month) = month(of: number)
            let day = min(Int64(startsOnDay), CivilDate.length(ofMonth: month, year: year))
            return CivilDate(year: year, month: month, day: day).dayNumber
        }
    }

    private func id(of number: Int64) -> String {
        switch every {
        case .minute:
            let minutes = number - number.flooredQuotient(by: 1440) * 1440
            let time = "\(CivilDate.padded(minutes / 60)):\(CivilDate.padded(minutes % 60))"
            return "\(CivilDate(dayNumber: number.flooredQuotient(by: 1440)))T\(time)Z"
        case .hour:
            let day = number.flooredQuotient(by: 24)
            return "\(CivilDate(dayNumber: day))T\(CivilDate.padded(number - day * 24))Z"
        case .day: return CivilDate(dayNumber: number).description
        case .week: return Self.isoWeek(ofDay: firstDay(of: number))
        case .month:
            let (year, month) = month(of: number)
            return "\(CivilDate.padded(year, to: 4))-\(CivilDate.padded(month))"
        case .quarter:
            let (year, month) = month(of: number)
            return "\(CivilDate.padded(year, to: 4))-Q\((month - 1) / 3 + 1)"
        case .year: return CivilDate.padded(month(of: number).year, to: 4)
        }
    }

    /// The month in which a period of whole months begins.
    private func month(of number: Int64) -> (year: Int64, month: Int64) {
        let months = number * monthsPerPeriod + firstMonth
        let year = months.flooredQuotient(by: 12)
        return (year, months - year * 12 + 1)
    }

    private var monthsPerPeriod: Int64 {
        switch every {
        case .year: 12
        case .quarter: 3
        case .minute, .hour, .day, .week, .month: 1
        }
    }

    /// Months from January of year 0 to the start of a period: quarters of a fiscal year that starts in April are those
    /// of the calendar, so only the remainder matters.
    private var firstMonth: Int64 { (Int64(startsInMonth) - 1) % monthsPerPeriod }

    /// The first day at or after 1969-12-29, a Monday, that begins a week.
    private var firstWeekday: Int64 { Int64(startsOnDay) - 4 }

    /// The week of a day by ISO 8601: weeks begin on Monday and belong to the year of their Thursday.
    private static func isoWeek(ofDay day: Int64) -> String {
        let weekNumber = (day + 3).flooredQuotient(by: 7)
        let thursday = weekNumber * 7
        let year = CivilDate(dayNumber: thursday).year
        let firstOfYear = CivilDate(year: year, month: 1, day: 1).dayNumber
        return "\(CivilDate.padded(year, to: 4))-W\(CivilDate.padded((thursday - firstOfYear) / 7 + 1))"
    }
}
