// The JSON of a budget. Amounts are decimal strings in dollars and integers otherwise, so the unit decides how they look.

import QuotaCore

extension BudgetRecord: Codable {
    /// A period whose zone may be missing.
    private struct PeriodBody: Codable {
        var every: PeriodLength
        var timezone: String?
        var startsOnDay: Int
        var startsInMonth: Int

        enum CodingKeys: String, CodingKey {
            case every, timezone
            case startsOnDay = "starts_on_day"
            case startsInMonth = "starts_in_month"
        }
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let period = try container.decode(PeriodRule.self, forKey: .period)
        let names = try container.nestedContainer(keyedBy: PeriodRule.CodingKeys.self, forKey: .period)
        self.init(
            unit: try container.required(.unit, of: BudgetUnit.allCases),
            amount: try container.decode(DecimalText.self, forKey: .amount),
            mode: try container.choice(.mode, of: BudgetMode.allCases),
            period: period,
            timezoneIsLeftOut: try names.decodeIfPresent(String.self, forKey: .timezone) == nil,
            rollover: try container.decodeIfPresent(RolloverRecord.self, forKey: .rollover),
            next: try container.decodeIfPresent(NextAmountRecord.self, forKey: .next),
            policy: try container.decodeIfPresent([PolicyStep].self, forKey: .policy),
            outage: try container.decodeIfPresent(OutageRecord.self, forKey: .outage),
            abandoned: try container.choice(.abandoned, of: AbandonedRule.allCases),
            onRequest: try container.decodeIfPresent(OnRequestRecord.self, forKey: .onRequest),
            visibleBelow: try container.decodeIfPresent(Bool.self, forKey: .visibleBelow))
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(unit, forKey: .unit)
        try encode(amount, as: .amount, in: &container)
        try container.encodeIfPresent(mode, forKey: .mode)
        try container.encode(
            PeriodBody(
                every: period.every, timezone: timezoneIsLeftOut ? nil : period.timezone,
                startsOnDay: period.startsOnDay, startsInMonth: period.startsInMonth),
            forKey: .period)
        if let rollover {
            var part = container.nestedContainer(keyedBy: RolloverRecord.CodingKeys.self, forKey: .rollover)
            try encode(rollover.max, as: .max, in: &part)
        }
        if let next {
            var part = container.nestedContainer(keyedBy: NextAmountRecord.CodingKeys.self, forKey: .next)
            try encode(next.amount, as: .amount, in: &part)
            try part.encode(next.from, forKey: .from)
        }
        try container.encodeIfPresent(policy, forKey: .policy)
        if let outage {
            var part = container.nestedContainer(keyedBy: OutageRecord.CodingKeys.self, forKey: .outage)
            try part.encode(outage.mode, forKey: .mode)
            try part.encodeIfPresent(outage.forSeconds, forKey: .forSeconds)
            if let amount = outage.amount { try encode(amount, as: .amount, in: &part) }
        }
        try container.encodeIfPresent(abandoned, forKey: .abandoned)
        if let onRequest {
            var part = container.nestedContainer(keyedBy: OnRequestRecord.CodingKeys.self, forKey: .onRequest)
            try encode(onRequest.grace, as: .grace, in: &part)
        }
        try container.encodeIfPresent(visibleBelow, forKey: .visibleBelow)
    }

    /// Writes what cannot be read as it came, so that nothing is lost on the way to `validate`.
    private func encode<Key: CodingKey>(
        _ amount: DecimalText, as key: Key, in container: inout KeyedEncodingContainer<Key>
    ) throws {
        if unit != .usd, let integer = try? Amount.parse(amount.text, unit: unit) {
            try container.encode(integer, forKey: key)
        } else {
            try container.encode(amount, forKey: key)
        }
    }
}
