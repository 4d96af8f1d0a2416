// The rules for periods, by example. Agreement over many years and zones is tested beside it.

import QuotaCore
import Testing

@Suite("Periods")
struct PeriodTests {
    /// Seconds since 1970 of a time in UTC, written `2026-11-23 14:05:09`.
    static func utc(_ text: String) throws -> Int64 {
        let parts = text.split(separator: " ")
        let date = try #require(CivilDate(parsing: parts[0]))
        let time = parts.count > 1 ? parts[1].split(separator: ":").compactMap { Int64($0) } : []
        return date.dayNumber * 86_400 + zip(time, [3600, 60, 1]).reduce(0) { $0 + $1.0 * $1.1 }
    }

    static func period(
        _ every: PeriodLength, _ zone: String = "UTC", day: Int = 1, month: Int = 1, at instant: String
    ) throws -> Period {
        try PeriodRule(every: every, timezone: zone, startsOnDay: day, startsInMonth: month)
            .period(containing: try utc(instant))
    }

    @Test(
        "ids are named by the start",
        arguments: [
            (.year, "2026"), (.quarter, "2026-Q4"), (.month, "2026-11"), (.week, "2026-W48"), (.day, "2026-11-23"),
            (.hour, "2026-11-23T14Z"), (.minute, "2026-11-23T14:05Z"),
        ] as [(PeriodLength, String)])
    func ids(every: PeriodLength, id: String) throws {
        #expect(try Self.period(every, at: "2026-11-23 14:05:59").id == id)
    }

    @Test("a month in New York starts at its midnights, across daylight saving time")
    func newYork() throws {
        let period = try Self.period(.month, "America/New_York", at: "2026-11-15")
        #expect(period.id == "2026-11")
        #expect(period.start == (try Self.utc("2026-11-01 04:00")))
        #expect(period.end == (try Self.utc("2026-12-01 05:00")))
        #expect(try Self.period(.month, "America/New_York", at: "2026-11-01 03:59:59").id == "2026-10")
    }

    @Test("a month that starts on the 31st starts on the last day of shorter months")
    func clamping() throws {
        let rule = try PeriodRule(every: .month, startsOnDay: 31)
        let starts = rule.upcoming(from: try Self.utc("2028-01-31"), count: 4).map(\.start)
        #expect(starts == (try ["2028-01-31", "2028-02-29", "2028-03-31", "2028-04-30"].map(Self.utc)))
        #expect(try Self.period(.month, day: 31, at: "2027-02-28").id == "2027-02")
        #expect(try Self.period(.month, day: 31, at: "2027-02-27 23:59:59").id == "2027-01")
    }

    @Test("fiscal years and their quarters are named by the start in the calendar")
    func fiscal() throws {
        let year = try Self.period(.year, day: 6, month: 4, at: "2027-04-05 23:59:59")
        #expect(year == Period(id: "2026", start: try Self.utc("2026-04-06"), end: try Self.utc("2027-04-06")))
        let quarters = try PeriodRule(every: .quarter, startsInMonth: 11).upcoming(
            from: Self.utc("2026-11-01"), count: 5)
        #expect(quarters.map(\.id) == ["2026-Q4", "2027-Q1", "2027-Q2", "2027-Q3", "2027-Q4"])
        #expect(quarters.map(\.start).last == (try Self.utc("2027-11-01")))
        #expect(quarters[1].start == (try Self.utc("2027-02-01")))
    }

    @Test("a week is named by the ISO week of its start, whatever day it starts on")
    func weeks() throws {
        #expect(try Self.period(.week, at: "2027-01-03").id == "2026-W53")
        #expect(try Self.period(.week, at: "2027-01-04").id == "2027-W01")
        let sunday = try Self.period(.week, day: 7, at: "2027-01-03")
        #expect(sunday == Period(id: "2026-W53", start: try Self.utc("2027-01-03"), end: try Self.utc("2027-01-10")))
    }

    @Test("where clocks skip midnight the day starts at the skip")
    func gap() throws {
        let period = try Self.period(.day, "America/Sao_Paulo", at: "2018-11-04 12:00")
        #expect(period.start == (try Self.utc("2018-11-04 03:00")))
        #expect(period.end - period.start == 23 * 3600)
        // From 23:30 to 00:30: midnight lies within what was skipped, not at its start.
        let toronto = try Self.period(.day, "America/Toronto", at: "1919-03-31 12:00")
        #expect(toronto.id == "1919-03-31")
        #expect(toronto.start == (try Self.utc("1919-03-31 04:30")))
    }

    @Test("where clocks show midnight twice the day starts at the first")
    func overlap() throws {
        let havana = try Self.period(.day, "America/Havana", at: "2026-11-01 12:00")
        #expect(havana.start == (try Self.utc("2026-11-01 04:00")))
        #expect(havana.end - havana.start == 25 * 3600)
        // At 00:01 clocks went back to 23:01 of the day before: by then the new day has begun, and goes on.
        let stJohns = try Self.period(.day, "America/St_Johns", at: "2010-11-07 03:00")
        #expect(stJohns.id == "2010-11-07")
        #expect(stJohns.start == (try Self.utc("2010-11-07 02:30")))
    }

    @Test("a day that a zone skipped is no period, and a month that starts on it starts the day after")
    func skippedDay() throws {
        let rule = try PeriodRule(every: .day, timezone: "Pacific/Apia")
        let days = rule.upcoming(from: try Self.utc("2011-12-29 12:00"), count: 2)
        #expect(days.map(\.id) == ["2011-12-29", "2011-12-31"])
        #expect(rule.period(id: "2011-12-30") == nil)
        let month = try Self.period(.month, "Pacific/Apia", day: 30, at: "2011-12-31")
        #expect(month.id == "2011-12" && month.start == days[1].start)
    }

    @Test("hours and minutes are counted in UTC, whatever the zone")
    func arithmetic() throws {
        let hour = try Self.period(.hour, "Asia/Kathmandu", at: "2026-11-23 23:59:59")
        #expect(
            hour
                == Period(
                    id: "2026-11-23T23Z", start: try Self.utc("2026-11-23 23:00"), end: try Self.utc("2026-11-24")))
        let minute = try Self.period(.minute, "Asia/Kathmandu", at: "2026-11-24")
        #expect(minute.id == "2026-11-24T00:00Z" && minute.end - minute.start == 60)
    }

    @Test("before 1970 periods go on as after it", arguments: PeriodLength.allCases)
    func before1970(every: PeriodLength) throws {
        let rule = try PeriodRule(every: every, timezone: "Europe/Berlin")
        let period = rule.period(containing: -1)
        #expect(period.start <= -1 && period.end > -1)
        #expect(rule.next(after: rule.period(containing: period.start - 1)) == period)
    }

    @Test("a period is found by its id", arguments: PeriodLength.allCases)
    func byID(every: PeriodLength) throws {
        let rule = try PeriodRule(
            every: every, timezone: "America/New_York",
            startsOnDay: [.week: 7, .month: 31, .quarter: 31, .year: 29][every] ?? 1,
            startsInMonth: [.quarter: 2, .year: 12][every] ?? 1)
        for period in rule.upcoming(from: try Self.utc("2023-12-25"), count: 120) {
            #expect(rule.period(id: period.id) == period)
        }
        for other in [
            "", "26", "2026-13", "2026-Q5", "2026-Q0", "2026-W54", "2027-W53", "2026-02-29", "2026-11-23T24Z", "+026",
            "2026-11-23T14", "2026-11-23T14:60Z", "2026-1", "2026-Q04", "2026 ", "2026-11-23T1Z", "2026-11-23 14Z",
        ] {
            #expect(rule.period(id: other) == nil, "\(other)")
        }
    }
}
