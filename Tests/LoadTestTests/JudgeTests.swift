// The rules by which the clients' sums and the books are compared.

import QuotaCore
import Testing

@testable import LoadTest

@Suite struct JudgeTests {
    private func reading(_ change: (inout BookReading) -> Void = { _ in }) -> BookReading {
        var reading = BookReading(
            name: BudgetName(account: "a", budget: "quota"), unit: .tokens, period: "2026-11", isEnforced: true,
            allowance: 1000, available: 1000, spent: 0, leased: 0, inDoubt: 0, exposure: nil)
        change(&reading)
        return reading
    }

    private func finding(
        acknowledged: Int64, spent: Int64, least: Double? = nil, _ change: (inout BudgetEvidence) -> Void = { _ in }
    ) -> BudgetFinding {
        var evidence = BudgetEvidence(
            before: reading(), after: reading { $0.spent = spent },
            tally: Tally(acknowledgedTokens: acknowledged, acknowledgedRequests: 1), exposureAhead: 0)
        change(&evidence)
        return Judge.finding(evidence, firstDenialAtLeast: least)
    }

    @Test("spent equal to the acknowledged commits is fine, one token off is not")
    func toTheToken() {
        #expect(finding(acknowledged: 700, spent: 700).broken.isEmpty)
        let less = finding(acknowledged: 700, spent: 699)
        #expect(less.broken == ["a/quota: 1 tokens of acknowledged commits are not in the books"])
        let more = finding(acknowledged: 700, spent: 701)
        #expect(more.broken == ["a/quota: 1 tokens were charged beyond the acknowledged commits"])
    }

    @Test("what was spent before the run is not this run's")
    func spentBefore() {
        let found = finding(acknowledged: 300, spent: 700) { $0.before.spent = 400 }
        #expect(found.broken.isEmpty)
        #expect(found.row.spent == .count(700))
        #expect(found.row.acknowledged == .count(300))
    }

    @Test("a call without an answer may be charged up to its most")
    func uncertain() {
        #expect(finding(acknowledged: 700, spent: 750) { $0.tally.uncertainTokens = 50 }.broken.isEmpty)
        #expect(finding(acknowledged: 700, spent: 751) { $0.tally.uncertainTokens = 50 }.broken.count == 1)
        #expect(finding(acknowledged: 700, spent: 699) { $0.tally.uncertainTokens = 50 }.broken.count == 1)
    }

    @Test("commits of a node that died may stay in doubt")
    func inDoubt() {
        #expect(finding(acknowledged: 700, spent: 650) { $0.after.inDoubt = 50 }.broken.isEmpty)
        #expect(finding(acknowledged: 700, spent: 649) { $0.after.inDoubt = 50 }.broken.count == 1)
    }

    @Test("overspend is fine only as far as it was exposed or the clients caused it themselves")
    func overspend() {
        let over = finding(acknowledged: 1010, spent: 1010)
        #expect(over.row.overspend == .count(10))
        #expect(over.broken == ["a/quota: overspent by 10 tokens, at most 0 tokens were exposed"])
        #expect(finding(acknowledged: 1010, spent: 1010) { $0.tally.overrunTokens = 10 }.broken.isEmpty)
        #expect(finding(acknowledged: 1010, spent: 1010) { $0.exposureAhead = 10 }.broken.isEmpty)
        #expect(finding(acknowledged: 1010, spent: 1010) { $0.exposureAhead = 9 }.broken.count == 1)
        #expect(finding(acknowledged: 1010, spent: 1010) { $0.after.isEnforced = false }.broken.isEmpty)
    }

    @Test("an exposure that is already spent excuses nothing")
    func exposureAhead() {
        #expect(reading { ($0.available, $0.exposure) = (-10, 10) }.exposureAhead == 0)
        #expect(reading { ($0.available, $0.exposure) = (-10, 15) }.exposureAhead == 5)
        #expect(reading { ($0.available, $0.exposure) = (10, 15) }.exposureAhead == 15)
    }

    @Test("used at first denial is what was spent and held, of the allowance")
    func firstDenial() {
        let found = finding(acknowledged: 1000, spent: 1000, least: 0.995) {
            $0.atFirstDenial = Tally(acknowledgedTokens: 900, openTokens: 95)
        }
        #expect(found.row.usedAtFirstDenial == 0.995)
        #expect(found.broken.isEmpty)
        let early = finding(acknowledged: 1000, spent: 1000, least: 0.995) {
            $0.atFirstDenial = Tally(acknowledgedTokens: 900, openTokens: 94)
        }
        #expect(early.broken == ["a/quota: first denied at 99.400 % of the allowance, not at 99.500 %"])
        #expect(finding(acknowledged: 1, spent: 1, least: 0.995).row.usedAtFirstDenial == nil)
    }

    @Test("dollars may be rounded up once a lease, and no further")
    func dollars() {
        func found(spent: Int64) -> BudgetFinding {
            finding(acknowledged: 0, spent: spent) {
                ($0.before.unit, $0.after.unit) = (.usd, .usd)
                $0.after.allowance = 1_000_000
                $0.tally.acknowledgedNanoDollars = 5_000_001
            }
        }
        #expect(found(spent: 5001).broken.isEmpty)
        #expect(found(spent: 5001).row.acknowledged == .microDollars(5001))
        #expect(found(spent: 5001 + Judge.roundingMicroDollars).broken.isEmpty)
        #expect(found(spent: 5002 + Judge.roundingMicroDollars).broken.count == 1)
        #expect(found(spent: 5000).broken == ["a/quota: 0.000001 usd of acknowledged commits are not in the books"])
    }

    @Test("a period that ended during the run is not compared, and said so")
    func newPeriod() {
        let found = finding(acknowledged: 700, spent: 10) { $0.after.period = "2026-12" }
        #expect(found.broken.isEmpty)
        #expect(found.notes.count == 1)
    }
}
