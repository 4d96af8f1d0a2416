// Scripts decide by these texts, so they are fixed to the letter.

import QuotaCore
import Testing

@testable import Ledger

@Suite("Budgets as the books hold them")
struct BudgetLedgerFieldsTests {
    static func fields(_ record: BudgetRecord, periods: [Period] = []) throws -> [String: String] {
        Dictionary(uniqueKeysWithValues: try record.ledgerFields(generation: "g1", periods: periods))
    }

    @Test("the contract's example becomes integers in micro-dollars and short texts")
    func example() throws {
        let record = try BudgetRecordTests.read(BudgetRecordTests.full)
        // 2026-11-24T14:40:00Z
        let periods = record.period.upcoming(from: 1_795_531_200, count: 3)
        let fields = try Self.fields(record, periods: periods)
        let json = try RecordCoding.json(record)
        #expect(
            fields == [
                "record": json, "generation": "g1", "unit": "usd", "amount": "5000000000", "mode": "enforce",
                "steps": "8000:warn,10000:reroute,10500:throttle:60,11000:block",
                "next_amount": "6000000000", "next_from": "2026-12", "rollover_max": "500000000", "every": "month",
                "periods":
                    "1793505600:1796101200:2026-11,1796101200:1798779600:2026-12,1798779600:1801458000:2027-01",
                "abandoned": "charge", "outage": "spend_leases:30",
            ])
    }

    @Test("what is left out is empty, and its rule is the default", arguments: [PeriodLength.minute, .hour])
    func least(every: PeriodLength) throws {
        let record = BudgetRecord(
            unit: .requests, amount: DecimalText(text: "60"), period: try PeriodRule(every: every))
        let fields = try Self.fields(
            record.withDefaults(timezone: "UTC"), periods: record.period.upcoming(from: 0, count: 2))
        #expect(fields["amount"] == "60")
        #expect(fields["next_amount"] == "" && fields["next_from"] == "" && fields["rollover_max"] == "")
        #expect(fields["steps"] == "8000:warn,10000:block")
        #expect(fields["outage"] == "spend_leases:30")
        #expect(fields["every"] == every.rawValue)
        #expect(fields["periods"] == "", "minutes and hours are arithmetic")
    }

    @Test("outages are written with seconds and book units")
    func outages() throws {
        var record = try BudgetRecordTests.read(BudgetRecordTests.full)
        record.outage = OutageRecord(mode: .allow, forSeconds: 45, amount: DecimalText(text: "0.5"))
        #expect(try Self.fields(record)["outage"] == "allow:45:500000")
        record.outage = OutageRecord(mode: .deny)
        #expect(try Self.fields(record)["outage"] == "deny")
    }

    @Test(
        "the text of an outage rule is read back",
        arguments: [OutageRule.deny, .spendLeases(seconds: 30), .allow(seconds: 30, amount: 1 << 52)])
    func outageText(rule: OutageRule) {
        #expect(OutageRule(ledgerText: rule.ledgerText) == rule)
    }

    @Test(
        "any other text is no outage rule",
        arguments: ["", "deny:1", "allow", "allow:1", "spend_leases", "spend_leases:x", "allow:1:2:3", "allow:-1:2"])
    func wrongOutageText(text: String) {
        #expect(OutageRule(ledgerText: text) == nil)
    }

    @Test("a budget that was not validated is refused with the place of the fault")
    func invalid() throws {
        func code(_ change: (inout BudgetRecord) -> Void) throws -> LedgerError.Code? {
            var record = try BudgetRecordTests.read(BudgetRecordTests.full)
            change(&record)
            do throws(LedgerError) {
                _ = try record.ledgerFields(generation: "g1", periods: [])
                return nil
            } catch {
                return error.code
            }
        }
        let bad = DecimalText(text: "x")
        #expect(try code { $0.amount = bad } == .invalid(pointer: "/amount"))
        #expect(try code { $0.rollover?.max = bad } == .invalid(pointer: "/rollover/max"))
        #expect(try code { $0.next?.amount = bad } == .invalid(pointer: "/next/amount"))
        #expect(try code { $0.policy?[1].at = bad } == .invalid(pointer: "/policy/1/at"))
        #expect(
            try code { $0.outage = OutageRecord(mode: .allow, amount: bad) } == .invalid(pointer: "/outage/amount"))
    }
}
