// A wrong budget refuses the right requests, so every rule about budgets is checked where they are made.

import QuotaCore
import Testing

@testable import Ledger

@Suite("What a budget must be")
struct BudgetValidationTests {
    static func record(
        unit: BudgetUnit = .usd, amount: String = "100", every: PeriodLength = .month, rollover: String? = nil,
        next: (String, String)? = nil, policy: [PolicyStep]? = nil, outage: OutageRecord? = nil, grace: String? = nil
    ) throws -> BudgetRecord {
        BudgetRecord(
            unit: unit, amount: DecimalText(text: amount), period: try PeriodRule(every: every),
            rollover: rollover.map { RolloverRecord(max: DecimalText(text: $0)) },
            next: next.map { NextAmountRecord(amount: DecimalText(text: $0.0), from: $0.1) }, policy: policy,
            outage: outage, onRequest: grace.map { OnRequestRecord(grace: DecimalText(text: $0)) })
    }

    static func step(
        _ at: String, _ kind: StepKind, model: String? = nil, rate: Int64? = nil, notify: [String]? = nil
    ) -> PolicyStep {
        PolicyStep(at: DecimalText(text: at), kind: kind, model: model, requestsPerMinute: rate, notify: notify)
    }

    static func pointers(_ record: BudgetRecord) -> [String] { record.validate().map(\.pointer) }

    @Test("the contract's example is right")
    func example() throws {
        #expect(try BudgetRecordTests.read(BudgetRecordTests.full).validate().isEmpty)
    }

    @Test("nothing at all may be given", arguments: BudgetUnit.allCases)
    func zero(unit: BudgetUnit) throws {
        #expect(try Self.record(unit: unit, amount: "0").validate().isEmpty)
    }

    @Test(
        "amounts are not negative, not too large and have no more places than the unit",
        arguments: ["-1", "x", "", "1e3", "0.0000001", "4503599627.370497", "NaN"])
    func amounts(text: String) throws {
        #expect(try Self.pointers(Self.record(amount: text)) == ["/amount"])
        #expect(try Self.pointers(Self.record(rollover: text)) == ["/rollover/max"])
        #expect(try Self.pointers(Self.record(next: (text, "2026-12"))) == ["/next/amount"])
        #expect(try Self.pointers(Self.record(grace: text)) == ["/on_request/grace"])
        let outage = OutageRecord(mode: .allow, amount: DecimalText(text: text))
        #expect(try Self.pointers(Self.record(outage: outage)) == ["/outage/amount"])
    }

    @Test("tokens and requests have no places", arguments: [BudgetUnit.tokens, .requests])
    func wholeUnits(unit: BudgetUnit) throws {
        #expect(try Self.pointers(Self.record(unit: unit, amount: "1.5")) == ["/amount"])
        #expect(try Self.record(unit: unit, amount: "4503599627370496").validate().isEmpty)
    }

    @Test("amount and rollover together stay within what the books can hold")
    func largestSum() throws {
        #expect(try Self.record(unit: .tokens, amount: "4503599627370495", rollover: "1").validate().isEmpty)
        let above = try Self.record(unit: .tokens, amount: "4503599627370496", rollover: "1")
        #expect(Self.pointers(above) == ["/rollover/max"])
        let later = try Self.record(
            unit: .tokens, amount: "1", rollover: "4503599627370496", next: ("4503599627370496", "2026-12"))
        #expect(Self.pointers(later) == ["/rollover/max"])
    }

    @Test("a step stands above 0 and at most at 10, with up to 4 places")
    func fractions() throws {
        for at in ["0.0001", "1", "1.0000", "1.25", "10", "0.800000"] {
            #expect(try Self.record(policy: [Self.step(at, .block)]).validate().isEmpty, "\(at)")
        }
        for at in ["0", "0.00001", "10.0001", "11", "-1", "x", "", "1.00001"] {
            #expect(try Self.pointers(Self.record(policy: [Self.step(at, .block)])) == ["/policy/0/at"], "\(at)")
        }
    }

    @Test("a step does not lift an amount above what the books can hold")
    func largestStep() throws {
        let policy = [Self.step("1", .warn), Self.step("2", .block)]
        #expect(try Self.record(unit: .tokens, amount: "2251799813685248", policy: policy).validate().isEmpty)
        let above = try Self.record(unit: .tokens, amount: "2251799813685250", policy: policy)
        #expect(Self.pointers(above) == ["/policy/1/at"])
        let highest = try Self.record(
            unit: .tokens, amount: "4503599627370496", policy: [Self.step("10", .block)])
        #expect(Self.pointers(highest) == ["/policy/0/at"])
    }

    @Test("steps are distinct and ascend")
    func ascending() throws {
        let equal = [Self.step("0.8", .warn), Self.step("0.80", .block)]
        #expect(try Self.pointers(Self.record(policy: equal)) == ["/policy/1/at"])
        let falling = [Self.step("1", .warn), Self.step("0.9", .warn), Self.step("0.95", .block)]
        #expect(try Self.pointers(Self.record(policy: falling)) == ["/policy/1/at", "/policy/2/at"])
    }

    @Test("one block step at most, and it is the last ceiling")
    func block() throws {
        let two = [Self.step("1", .block), Self.step("2", .block)]
        #expect(try Self.pointers(Self.record(policy: two)) == ["/policy/1/do"])
        let above = [Self.step("1", .block), Self.step("2", .throttle, rate: 1)]
        #expect(try Self.pointers(Self.record(policy: above)) == ["/policy/1/do"])
        let warnAbove = [Self.step("1", .block), Self.step("2", .warn)]
        #expect(try Self.record(policy: warnAbove).validate().isEmpty)
        #expect(try Self.record(policy: [Self.step("1", .warn)]).validate().isEmpty, "a soft budget")
        #expect(try Self.record(policy: []).validate().isEmpty)
    }

    @Test("there are at most 8 steps")
    func count() throws {
        let steps = (1...9).map { Self.step("0.\($0)", .warn) }
        #expect(try Self.record(policy: Array(steps.prefix(8))).validate().isEmpty)
        #expect(try Self.pointers(Self.record(policy: steps)) == ["/policy"])
    }

    @Test("reroute needs a model, and nothing else has one")
    func models() throws {
        #expect(try Self.record(policy: [Self.step("1", .reroute, model: "m")]).validate().isEmpty)
        for model in [nil, "", " ", "a\nb", String(repeating: "m", count: 257)] {
            let policy = [Self.step("1", .reroute, model: model)]
            #expect(try Self.pointers(Self.record(policy: policy)) == ["/policy/0/model"])
        }
        for kind in [StepKind.warn, .block] {
            #expect(try Self.pointers(Self.record(policy: [Self.step("1", kind, model: "m")])) == ["/policy/0/model"])
        }
    }

    @Test("throttle needs a rate between 1 and a million a minute, and nothing else has one")
    func rates() throws {
        for rate: Int64 in [1, 60, 1_000_000] {
            #expect(try Self.record(policy: [Self.step("1", .throttle, rate: rate)]).validate().isEmpty)
        }
        for rate: Int64? in [nil, 0, -1, 1_000_001, .max] {
            let policy = [Self.step("1", .throttle, rate: rate)]
            #expect(try Self.pointers(Self.record(policy: policy)) == ["/policy/0/requests_per_minute"])
        }
        for kind in [StepKind.warn, .block] {
            let policy = [Self.step("1", kind, rate: 60)]
            #expect(try Self.pointers(Self.record(policy: policy)) == ["/policy/0/requests_per_minute"])
        }
    }

    @Test("those who are told have short names and are few")
    func notify() throws {
        let many = Array(repeating: "heads", count: 17)
        #expect(
            try Self.pointers(Self.record(policy: [Self.step("1", .warn, notify: many)])) == ["/policy/0/notify"])
        #expect(
            try Self.pointers(Self.record(policy: [Self.step("1", .warn, notify: ["heads", ""])]))
                == ["/policy/0/notify/1"])
    }

    @Test("a later amount begins with a period that the rule has")
    func next() throws {
        let right: [(PeriodLength, String)] = [
            (.month, "2026-12"), (.year, "2027"), (.quarter, "2027-Q1"), (.week, "2026-W53"), (.day, "2026-12-31"),
        ]
        for (every, from) in right {
            #expect(try Self.record(every: every, next: ("1", from)).validate().isEmpty, "\(from)")
        }
        let long = String(repeating: "9", count: 999)
        for from in ["2026-13", "2026", "december", "", "2026-12-01", "2026-12,1:2:x", long] {
            #expect(try Self.pointers(Self.record(next: ("1", from))) == ["/next/from"], "\(from)")
        }
    }

    @Test("minutes and hours have no later amount", arguments: [PeriodLength.minute, .hour])
    func nextOfShortPeriods(every: PeriodLength) throws {
        #expect(try Self.pointers(Self.record(every: every, next: ("1", "2026-11-23T14Z"))) == ["/next"])
    }

    @Test("an emergency amount belongs to allow, and a time to what spends in an outage")
    func outage() throws {
        func pointers(_ mode: OutageMode, _ seconds: Int64? = nil, _ amount: String? = nil) throws -> [String] {
            let outage = OutageRecord(
                mode: mode, forSeconds: seconds, amount: amount.map { DecimalText(text: $0) })
            return try Self.pointers(Self.record(outage: outage))
        }
        #expect(try pointers(.deny).isEmpty)
        #expect(try pointers(.spendLeases).isEmpty)
        #expect(try pointers(.spendLeases, 1).isEmpty)
        #expect(try pointers(.allow, 86_400, "10").isEmpty)
        #expect(try pointers(.deny, 30) == ["/outage/for_s"])
        #expect(try pointers(.deny, nil, "1") == ["/outage/amount"])
        #expect(try pointers(.spendLeases, 0) == ["/outage/for_s"])
        #expect(try pointers(.spendLeases, 86_401) == ["/outage/for_s"])
        #expect(try pointers(.spendLeases, 30, "1") == ["/outage/amount"])
        #expect(try pointers(.allow, 30) == ["/outage/amount"])
    }

    @Test("everything that is wrong is told at once")
    func together() throws {
        let record = try Self.record(
            amount: "-1", next: ("1", "x"), policy: [Self.step("0", .throttle)], outage: OutageRecord(mode: .allow))
        #expect(
            Self.pointers(record) == [
                "/amount", "/next/from", "/policy/0/at", "/policy/0/requests_per_minute", "/outage/amount",
            ])
        #expect(record.validate().allSatisfy { $0.detail.hasPrefix("must ") })
    }
}
