// What users may write as a period.

import Foundation
import QuotaCore
import Testing

@Suite("Period rules")
struct PeriodRuleTests {
    @Test("what is left out has its usual value, and the rule reads back as it was written")
    func decoding() throws {
        let rule = try JSONDecoder().decode(PeriodRule.self, from: Data(#"{"every":"month"}"#.utf8))
        #expect(rule == (try PeriodRule(every: .month, timezone: "UTC", startsOnDay: 1, startsInMonth: 1)))
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let fiscal = try PeriodRule(every: .year, timezone: "America/New_York", startsOnDay: 31, startsInMonth: 10)
        let data = try encoder.encode(fiscal)
        #expect(
            String(decoding: data, as: UTF8.self)
                == #"{"every":"year","starts_in_month":10,"starts_on_day":31,"timezone":"America/New_York"}"#)
        #expect(try JSONDecoder().decode(PeriodRule.self, from: data) == fiscal)
    }

    @Test("a zone left out is the organisation's")
    func defaultZone() throws {
        let left = try JSONDecoder().decode(PeriodRule.Body.self, from: Data(#"{"every":"day"}"#.utf8))
        #expect(try left.rule(defaultTimezone: "Asia/Tokyo").timezone == "Asia/Tokyo")
        #expect(throws: ValueError.self) { try left.rule(defaultTimezone: "Nowhere") }
        let given = try JSONDecoder().decode(
            PeriodRule.Body.self, from: Data(#"{"every":"day","timezone":"Europe/Paris"}"#.utf8))
        #expect(try given.rule(defaultTimezone: "Asia/Tokyo").timezone == "Europe/Paris")
    }

    @Test("time zones are names of the IANA database", arguments: ["UTC", "Europe/Kyiv", "Asia/Calcutta", "Etc/GMT+5"])
    func zones(name: String) throws {
        #expect(try PeriodRule(every: .day, timezone: name).timezone == name)
    }

    @Test(
        "what is wrong in a rule is refused by name",
        arguments: [
            (#"{}"#, "every"), (#"{"every":"fortnight"}"#, "every"), (#"{"every":1}"#, "every"),
            (#"{"every":"day","timezone":"Mars/Olympus"}"#, "timezone"),
            (#"{"every":"day","timezone":""}"#, "timezone"),
            (#"{"every":"day","timezone":"PST"}"#, "timezone"), (#"{"every":"day","timezone":"GMT+5"}"#, "timezone"),
            (#"{"every":"day","timezone":"europe/paris"}"#, "timezone"),
            (#"{"every":"day","timezone":"../../etc/passwd"}"#, "timezone"),
            (#"{"every":"month","starts_on_day":0}"#, "starts_on_day"),
            (#"{"every":"month","starts_on_day":32}"#, "starts_on_day"),
            (#"{"every":"month","starts_on_day":9223372036854775807}"#, "starts_on_day"),
            (#"{"every":"month","starts_on_day":1.5}"#, "starts_on_day"),
            (#"{"every":"month","starts_on_day":"1"}"#, "starts_on_day"),
            (#"{"every":"week","starts_on_day":8}"#, "starts_on_day"),
            (#"{"every":"hour","starts_on_day":2}"#, "starts_on_day"),
            (#"{"every":"month","starts_in_month":2}"#, "starts_in_month"),
            (#"{"every":"year","starts_in_month":13}"#, "starts_in_month"), (#"{"every":"year","day":1}"#, "day"),
        ])
    func refusals(json: String, field: String) {
        #expect(codingPath(of: PeriodRule.self, json) == [field])
    }

    @Test("dates of the calendar are those that exist")
    func dates() throws {
        for text in ["1970-01-01", "2000-02-29", "2026-12-31", "9999-12-31", "0001-01-01"] {
            let date = try #require(CivilDate(parsing: text))
            #expect(CivilDate(dayNumber: date.dayNumber) == date)
            #expect(date.description == text)
        }
        for text in [
            "2100-02-29", "2026-00-01", "2026-13-01", "2026-04-31", "2026-1-01", "+026-01-01", "2026-01-01Z", "",
        ] {
            #expect(CivilDate(parsing: text) == nil, "\(text)")
        }
        #expect(CivilDate(year: 1970, month: 1, day: 1).dayNumber == 0)
    }
}
