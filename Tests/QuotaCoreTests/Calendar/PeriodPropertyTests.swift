// Twenty years of fifty zones: every midnight that was skipped, shown twice or moved in that time is among them. The years
// lie in the past, where no government changes its mind and all copies of the database agree.

import Foundation
import QuotaCore
import TestSupport
import Testing

@Suite("Periods agree with another calendar")
struct PeriodPropertyTests {
    static let years = 2005...2024

    static let zones = [
        "UTC", "Africa/Cairo", "Africa/Casablanca", "Africa/Johannesburg", "Africa/Juba", "Africa/Tripoli",
        "America/Argentina/San_Luis", "America/Asuncion", "America/Caracas", "America/Chicago", "America/Havana",
        "America/Los_Angeles", "America/Mexico_City", "America/New_York", "America/Nuuk", "America/Port-au-Prince",
        "America/Santiago", "America/Sao_Paulo", "America/Scoresbysund", "America/St_Johns", "Antarctica/Casey",
        "Antarctica/Troll", "Asia/Amman", "Asia/Beirut", "Asia/Damascus", "Asia/Dhaka", "Asia/Gaza", "Asia/Kathmandu",
        "Asia/Kolkata", "Asia/Pyongyang", "Asia/Shanghai", "Asia/Tehran", "Asia/Tokyo", "Asia/Ulaanbaatar",
        "Atlantic/Azores", "Australia/Lord_Howe", "Australia/Sydney", "Europe/Berlin", "Europe/Dublin",
        "Europe/Istanbul",
        "Europe/London", "Europe/Moscow", "Europe/Volgograd", "Pacific/Apia", "Pacific/Auckland", "Pacific/Chatham",
        "Pacific/Fakaofo", "Pacific/Kiritimati", "Pacific/Marquesas", "Pacific/Norfolk", "Pacific/Tongatapu",
    ]

    /// 2011-10-01: then clocks changed nearly everywhere, and two of the zones lost a day.
    static let autumn2011: Int64 = 1_317_427_200

    static func rules(_ zone: String) throws -> [PeriodRule] {
        var rules = [try PeriodRule(every: .day, timezone: zone)]
        for day in [1, 4, 7] { rules.append(try PeriodRule(every: .week, timezone: zone, startsOnDay: day)) }
        for day in [1, 15, 29, 30, 31] { rules.append(try PeriodRule(every: .month, timezone: zone, startsOnDay: day)) }
        for (day, month) in [(1, 1), (31, 2), (6, 12), (30, 3)] {
            for every in [PeriodLength.quarter, .year] {
                rules.append(try PeriodRule(every: every, timezone: zone, startsOnDay: day, startsInMonth: month))
            }
        }
        return rules
    }

    /// Starts that nobody thought of: a few more rules of a zone, and an hour's and a minute's.
    static func randomRules(_ zone: String, _ random: inout SplitMix) throws -> [PeriodRule] {
        func day() -> Int { Int.random(in: 1...31, using: &random) }
        func month() -> Int { Int.random(in: 1...12, using: &random) }
        var rules = [
            try PeriodRule(every: .week, timezone: zone, startsOnDay: Int.random(in: 1...7, using: &random)),
            try PeriodRule(every: .month, timezone: zone, startsOnDay: day()),
        ]
        for every in [PeriodLength.quarter, .year] {
            rules.append(try PeriodRule(every: every, timezone: zone, startsOnDay: day(), startsInMonth: month()))
        }
        for every in [PeriodLength.hour, .minute] { rules.append(try PeriodRule(every: every, timezone: zone)) }
        return rules
    }

    @Test("ids, starts and ends are those of Python's zoneinfo")
    func reference() throws {
        let given = ProcessInfo.processInfo.environment["BURSAR_CALENDAR_SEED"].flatMap { UInt64($0) }
        let seed = given ?? UInt64.random(in: 0...UInt64.max)
        print("calendar seed \(seed): BURSAR_CALENDAR_SEED=\(seed) repeats its rules")
        var random = SplitMix(seed: seed)
        let rules = try Self.zones.flatMap { try Self.rules($0) + Self.randomRules($0, &random) }
        let lines = try PeriodReference.lines(years: Self.years, rules: rules)
        try #require(lines.count == rules.count)
        for (rule, line) in zip(rules, lines) {
            let name = "\(rule.timezone) \(rule.every.rawValue) \(rule.startsOnDay) \(rule.startsInMonth)"
            try #require(line.hasPrefix(name + " "))
            let expected = line.split(separator: " ").dropFirst(4)
            if rule.every == .hour || rule.every == .minute {
                let length: Int64 = rule.every == .hour ? 3600 : 60
                for item in expected {
                    let start = try #require(item.split(separator: "=").last.flatMap { Int64($0) })
                    let period = rule.period(containing: start + .random(in: 0..<length, using: &random))
                    #expect("\(period.id)=\(period.start)" == item && period.end == start + length, "seed \(seed)")
                    #expect(rule.period(id: period.id) == period)
                }
                continue
            }
            let start = try #require(expected.first?.split(separator: "=").last.flatMap { Int64($0) })
            let periods = rule.upcoming(from: start, count: expected.count)
            // Each end is the next start, so that the starts alone say all.
            let actual = periods.map { "\($0.id)=\($0.start)" }
            let difference = zip(actual, expected).first { $0 != $1 }
            #expect(difference == nil, "\(name): ours, then Python's; seed \(seed)")
            #expect(zip(periods, periods.dropFirst()).allSatisfy { $0.end == $1.start }, "\(name)")
            #expect(Set(periods.map(\.id)).count == periods.count, "\(name): ids are unique within a rule")
        }
    }

    @Test("every instant of a period, the first and the last included, finds that period", arguments: zones)
    func containment(zone: String) throws {
        for rule in try Self.rules(zone) where rule.every != .day {
            for period in rule.upcoming(from: Self.autumn2011, count: 24) {
                #expect(period.start < period.end)
                #expect(rule.period(containing: period.start) == period)
                #expect(rule.period(containing: period.end - 1) == period)
                #expect(rule.period(containing: Int64.random(in: period.start..<period.end)) == period)
                #expect(rule.next(after: period).start == period.end)
            }
        }
    }
}
