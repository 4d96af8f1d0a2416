// Budgets of every kind that users may make, from a seed.

import Ledger
import QuotaCore
import TestSupport

enum AnyBudget {
    static let zones = [
        "UTC", "America/New_York", "Europe/Berlin", "Asia/Kathmandu", "Pacific/Apia", "America/Sao_Paulo",
        "Australia/Lord_Howe", "Etc/GMT+12", "America/Argentina/ComodRivadavia", "Africa/Cairo",
    ]

    /// A record with its defaults that passes `validate`.
    static func make(_ random: inout SplitMix) throws -> BudgetRecord {
        while true {
            let record = try draw(&random).withDefaults(timezone: "UTC")
            if record.validate().isEmpty { return record }
        }
    }

    private static func draw(_ random: inout SplitMix) throws -> BudgetRecord {
        let unit = BudgetUnit.allCases.randomElement(using: &random) ?? .usd
        func amount(_ random: inout SplitMix) -> DecimalText {
            let bits = Int64.random(in: 0...52, using: &random)
            let value =
                Bool.random(using: &random)
                ? Int64.random(in: 0...(1 << bits), using: &random)
                : [0, 1, 9_999, 10_000, 10_001, Amount.maximum - 1, Amount.maximum].randomElement(using: &random) ?? 0
            return DecimalText(text: Amount.format(value, unit: unit))
        }
        let rule = try period(&random)
        var record = BudgetRecord(unit: unit, amount: amount(&random), period: rule)
        record.mode = [nil, .enforce, .shadow].randomElement(using: &random) ?? nil
        record.abandoned = [nil, .charge, .release].randomElement(using: &random) ?? nil
        record.visibleBelow = [nil, true, false].randomElement(using: &random) ?? nil
        if Bool.random(using: &random) { record.rollover = RolloverRecord(max: amount(&random)) }
        if Bool.random(using: &random), rule.every != .minute, rule.every != .hour {
            let from = rule.upcoming(from: TestBooks.start, count: 3).randomElement(using: &random)
            record.next = NextAmountRecord(amount: amount(&random), from: from?.id ?? "")
        }
        if Bool.random(using: &random) { record.onRequest = OnRequestRecord(grace: amount(&random)) }
        if Bool.random(using: &random) { record.policy = policy(&random) }
        switch Int.random(in: 0..<4, using: &random) {
        case 0: record.outage = OutageRecord(mode: .deny)
        case 1: record.outage = OutageRecord(mode: .spendLeases, forSeconds: .random(in: 1...86_400, using: &random))
        case 2: record.outage = OutageRecord(mode: .allow, forSeconds: 86_400, amount: amount(&random))
        default: break
        }
        return record
    }

    private static func period(_ random: inout SplitMix) throws -> PeriodRule {
        let every = PeriodLength.allCases.randomElement(using: &random) ?? .month
        let zone = zones.randomElement(using: &random) ?? "UTC"
        let (days, months): (ClosedRange<Int>, ClosedRange<Int>) =
            switch every {
            case .minute, .hour, .day: (1...1, 1...1)
            case .week: (1...7, 1...1)
            case .month: (1...31, 1...1)
            case .quarter, .year: (1...31, 1...12)
            }
        return try PeriodRule(
            every: every, timezone: zone, startsOnDay: .random(in: days, using: &random),
            startsInMonth: .random(in: months, using: &random))
    }

    private static func policy(_ random: inout SplitMix) -> [PolicyStep] {
        let count = Int.random(in: 0...8, using: &random)
        let fractions = Set((0..<count).map { _ in Int64.random(in: 1...15_000, using: &random) }).sorted()
        return fractions.enumerated().map { index, fraction in
            let at = DecimalText(text: Amount.format(fraction * 100, unit: .usd))
            switch Int.random(in: 0..<3, using: &random) {
            case 0: return PolicyStep(at: at, kind: .reroute, model: "gpt-4o-mini")
            case 1:
                let rate = Int64.random(in: 1...1_000_000, using: &random)
                return PolicyStep(at: at, kind: .throttle, requestsPerMinute: rate)
            default:
                let last = index == fractions.count - 1
                return PolicyStep(at: at, kind: last ? .block : .warn, notify: ["heads", "café \"x\""])
            }
        }
    }
}
