// The JSON of budgets is a public interface; what is left out must mean the same everywhere.

import QuotaCore
import Testing

@testable import Ledger

@Suite("Budgets as users write them")
struct BudgetRecordTests {
    static let full = """
        {"unit":"usd","amount":"5000","mode":"enforce",
         "period":{"every":"month","timezone":"America/New_York","starts_on_day":1,"starts_in_month":1},
         "rollover":{"max":"500"},"next":{"amount":"6000","from":"2026-12"},
         "policy":[{"at":0.8,"do":"warn","notify":["heads"]},{"at":1.0,"do":"reroute","model":"llama-3.1-8b-internal"},
          {"at":1.05,"do":"throttle","requests_per_minute":60},{"at":1.1,"do":"block"}],
         "outage":{"mode":"spend_leases","for_s":30},"abandoned":"charge","on_request":{"grace":"100"},
         "visible_below":true}
        """
    static let least = #"{"unit":"tokens","amount":1000,"period":{"every":"month"}}"#

    static func read(_ json: String) throws -> BudgetRecord { try RecordCoding.decode(BudgetRecord.self, from: json) }

    @Test("every field of the contract is read")
    func reading() throws {
        let record = try Self.read(Self.full)
        #expect(record.unit == .usd)
        #expect(record.amount.text == "5000")
        #expect(record.mode == .enforce)
        #expect(record.period.timezone == "America/New_York")
        #expect(record.rollover?.max.text == "500")
        #expect(record.next == NextAmountRecord(amount: DecimalText(text: "6000"), from: "2026-12"))
        #expect(record.policy?.map(\.kind) == [.warn, .reroute, .throttle, .block])
        #expect(record.policy?.map(\.fraction) == [8000, 10_000, 10_500, 11_000])
        #expect(record.policy?[0].notify == ["heads"])
        #expect(record.policy?[1].model == "llama-3.1-8b-internal")
        #expect(record.policy?[2].requestsPerMinute == 60)
        #expect(record.outage == OutageRecord(mode: .spendLeases, forSeconds: 30))
        #expect(record.abandoned == .charge)
        #expect(record.onRequest?.grace.text == "100")
        #expect(record.visibleBelow == true)
    }

    @Test("it is written with the contract's names: dollars as strings, fractions as numbers, names in order")
    func writing() throws {
        let json = try RecordCoding.json(Self.read(Self.full))
        #expect(
            json == """
                {"abandoned":"charge","amount":"5000","mode":"enforce","next":{"amount":"6000","from":"2026-12"},\
                "on_request":{"grace":"100"},"outage":{"for_s":30,"mode":"spend_leases"},\
                "period":{"every":"month","starts_in_month":1,"starts_on_day":1,"timezone":"America/New_York"},\
                "policy":[{"at":0.8,"do":"warn","notify":["heads"]},\
                {"at":1,"do":"reroute","model":"llama-3.1-8b-internal"},\
                {"at":1.05,"do":"throttle","requests_per_minute":60},{"at":1.1,"do":"block"}],\
                "rollover":{"max":"500"},"unit":"usd","visible_below":true}
                """)
        #expect(try RecordCoding.json(Self.read(json)) == json)
    }

    @Test("amounts in tokens and requests are written as integers", arguments: ["tokens", "requests"])
    func integers(unit: String) throws {
        let json = """
            {"unit":"\(unit)","amount":"1000","period":{"every":"day"},"rollover":{"max":10},\
            "next":{"amount":"4503599627370496","from":"2026-12-01"},"on_request":{"grace":5},\
            "outage":{"mode":"allow","amount":7}}
            """
        let written = try RecordCoding.json(Self.read(json))
        for part in [
            #""amount":1000,"#, #""max":10}"#, #""amount":4503599627370496,"#, #""grace":5}"#, #""amount":7,"#,
        ] {
            #expect(written.contains(part), "\(part) in \(written)")
        }
    }

    @Test("what is left out stays left out")
    func omission() throws {
        let json = try RecordCoding.json(Self.read(Self.least))
        #expect(
            json
                == #"{"amount":1000,"period":{"every":"month","starts_in_month":1,"starts_on_day":1},"unit":"tokens"}"#)
    }

    @Test("left out, the mode is enforce, the zone the organisation's, the policy warns at 0.8 and blocks at 1")
    func defaults() throws {
        let record = try Self.read(Self.least).withDefaults(timezone: "Europe/Berlin")
        #expect(record.mode == .enforce)
        #expect(record.period.timezone == "Europe/Berlin")
        #expect(!record.timezoneIsLeftOut)
        #expect(record.policy?.map(\.kind) == [.warn, .block])
        #expect(record.policy?.map(\.fraction) == [8000, 10_000])
        #expect(record.outage == OutageRecord(mode: .spendLeases, forSeconds: 30))
        #expect(record.abandoned == .charge)
        #expect(record.rollover == nil && record.next == nil && record.onRequest == nil)
        #expect(record.validate().isEmpty)
    }

    @Test("what is given is kept, an empty policy included")
    func given() throws {
        let full = try Self.read(Self.full)
        #expect(try full.withDefaults(timezone: "Europe/Berlin") == full)
        let soft = """
            {"unit":"usd","amount":1,"mode":"shadow","period":{"every":"hour"},"policy":[],"abandoned":"release",\
            "outage":{"mode":"deny"}}
            """
        let record = try Self.read(soft).withDefaults(timezone: "UTC")
        #expect(record.policy == [])
        #expect(record.mode == .shadow)
        #expect(record.abandoned == .release)
        #expect(record.outage == OutageRecord(mode: .deny))
        let utc = try Self.read(#"{"unit":"usd","amount":1,"period":{"every":"day","timezone":"UTC"}}"#)
        #expect(try utc.withDefaults(timezone: "Asia/Tokyo").period.timezone == "UTC")
    }

    @Test("amounts are kept in their shortest form", arguments: [("5000.00", "5000"), ("007.50", "7.5"), ("x", "x")])
    func shortest(written: String, kept: String) throws {
        var record = try Self.read(Self.full)
        record.amount = DecimalText(text: written)
        #expect(try record.withDefaults(timezone: "UTC").amount.text == kept)
    }

    @Test("one budget written in two ways is one record")
    func sameMeaning() throws {
        let one = #"{"unit":"tokens","amount":"0100","period":{"every":"day"},"policy":[{"at":"1.00","do":"block"}]}"#
        let other = """
            {"unit":"tokens","amount":100,"period":{"every":"day","timezone":"UTC"},"policy":[{"do":"block","at":1}]}
            """
        let records = try [one, other].map { try Self.read($0).withDefaults(timezone: "UTC") }
        #expect(records[0] == records[1])
        #expect(try RecordCoding.json(records[0]) == RecordCoding.json(records[1]))
    }

    @Test("an unknown zone of the organisation is not taken for another one")
    func unknownOrganisationZone() throws {
        let record = try Self.read(Self.least)
        let error = #expect(throws: ValueError.self) { try record.withDefaults(timezone: "Mars/Olympus") }
        #expect(error?.field == "period/timezone")
    }

    @Test(
        "a word that the contract does not have is refused",
        arguments: [
            #"{"unit":"eur","amount":1,"period":{"every":"day"}}"#,
            #"{"unit":"usd","amount":1,"period":{"every":"decade"}}"#,
            #"{"unit":"usd","amount":1,"period":{"every":"day","timezone":"Mars/Olympus"}}"#,
            #"{"unit":"usd","amount":1,"period":{"every":"day"},"mode":"maybe"}"#,
            #"{"unit":"usd","amount":1,"period":{"every":"day"},"abandoned":"forget"}"#,
            #"{"unit":"usd","amount":1,"period":{"every":"day"},"outage":{"mode":"panic"}}"#,
            #"{"unit":"usd","amount":1,"period":{"every":"day"},"policy":[{"at":1,"do":"explode"}]}"#,
            #"{"unit":"usd","amount":true,"period":{"every":"day"}}"#,
            #"{"unit":"usd","period":{"every":"day"}}"#,
            #"{"amount":1,"period":{"every":"day"}}"#,
            #"{"unit":"usd","amount":1}"#,
            #"[]"#, #""#,
        ])
    func refusedWords(json: String) {
        #expect(throws: LedgerError.self) { try Self.read(json) }
    }

    @Test("the names of all fields are known, so that others can be refused")
    func knownKeys() {
        #expect(
            Set(BudgetRecord.knownKeys) == [
                "unit", "amount", "mode", "period", "rollover", "next", "policy", "outage", "abandoned", "on_request",
                "visible_below",
            ])
        #expect(PolicyStep.knownKeys == ["at", "do", "model", "requests_per_minute", "notify"])
        #expect(OutageRecord.knownKeys == ["mode", "for_s", "amount"])
    }

    @Test("a field of a newer version is passed over")
    func newerFields() throws {
        let json = #"{"unit":"tokens","amount":1000,"period":{"every":"month"},"mood":"fine"}"#
        #expect(try Self.read(json) == Self.read(Self.least))
    }
}
