// A budget as users write it. The books hold this text, and beside it the few fields that scripts decide by.

import QuotaCore

/// A budget as the console shows it, without its live figures.
package struct BudgetRecord: Sendable, Hashable, RecordFields {
    package var unit: BudgetUnit
    /// For each period.
    package var amount: DecimalText
    package var mode: BudgetMode?
    /// While `timezoneIsLeftOut` its zone is UTC and means nothing.
    package var period: PeriodRule
    /// Whether the zone is still to be taken from the organisation, see `withDefaults`.
    package var timezoneIsLeftOut: Bool
    package var rollover: RolloverRecord?
    package var next: NextAmountRecord?
    /// In ascending order of `at`. Without a `block` step the budget may go below zero.
    package var policy: [PolicyStep]?
    package var outage: OutageRecord?
    package var abandoned: AbandonedRule?
    package var onRequest: OnRequestRecord?
    /// Whether keys of accounts below may see the figures.
    package var visibleBelow: Bool?

    package enum CodingKeys: String, CodingKey, CaseIterable, Sendable {
        case unit, amount, mode, period, rollover, next, policy, outage, abandoned
        case onRequest = "on_request"
        case visibleBelow = "visible_below"
    }

    package init(
        unit: BudgetUnit, amount: DecimalText, mode: BudgetMode? = nil, period: PeriodRule,
        timezoneIsLeftOut: Bool = false, rollover: RolloverRecord? = nil, next: NextAmountRecord? = nil,
        policy: [PolicyStep]? = nil, outage: OutageRecord? = nil, abandoned: AbandonedRule? = nil,
        onRequest: OnRequestRecord? = nil, visibleBelow: Bool? = nil
    ) {
        self.unit = unit
        self.amount = amount
        self.mode = mode
        self.period = period
        self.timezoneIsLeftOut = timezoneIsLeftOut
        self.rollover = rollover
        self.next = next
        self.policy = policy
        self.outage = outage
        self.abandoned = abandoned
        self.onRequest = onRequest
        self.visibleBelow = visibleBelow
    }

    /// The record with the rules that hold where it says nothing, and its numbers in their shortest form: what was written
    /// in two ways and means the same is then the same record.
    ///
    /// - Parameter timezone: the organisation's.
    /// - Throws: when that is no time zone.
    package func withDefaults(timezone: String) throws(ValueError) -> BudgetRecord {
        var record = self
        if timezoneIsLeftOut {
            do {
                record.period = try PeriodRule(
                    every: period.every, timezone: timezone, startsOnDay: period.startsOnDay,
                    startsInMonth: period.startsInMonth)
            } catch {
                throw error.within(CodingKeys.period.rawValue)
            }
            record.timezoneIsLeftOut = false
        }
        record.mode = mode ?? .enforce
        record.policy =
            policy?.map(\.shortest) ?? [
                PolicyStep(at: DecimalText(text: "0.8"), kind: .warn),
                PolicyStep(at: DecimalText(text: "1"), kind: .block),
            ]
        var outage = outage ?? OutageRecord(mode: .spendLeases)
        if outage.mode != .deny { outage.forSeconds = outage.forSeconds ?? 30 }
        outage.amount = outage.amount.map(shortest)
        record.outage = outage
        record.abandoned = abandoned ?? .charge
        record.amount = shortest(amount)
        record.rollover = rollover.map { RolloverRecord(max: shortest($0.max)) }
        record.next = next.map { NextAmountRecord(amount: shortest($0.amount), from: $0.from) }
        record.onRequest = onRequest.map { OnRequestRecord(grace: shortest($0.grace)) }
        return record
    }

    /// What cannot be read stays as it is, for `validate` to name.
    private func shortest(_ amount: DecimalText) -> DecimalText {
        guard let value = try? Amount.parse(amount.text, unit: unit) else { return amount }
        return DecimalText(text: Amount.format(value, unit: unit))
    }
}
