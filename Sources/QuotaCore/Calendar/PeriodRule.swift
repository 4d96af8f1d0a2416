// When a budget's periods begin. Organisations plan by their own calendars: pay days, fiscal years, local midnights.

/// The rule that divides time into a budget's periods.
package struct PeriodRule: Sendable, Hashable {
    package let every: PeriodLength
    /// The IANA name of the zone whose midnights count. Minutes and hours are counted in UTC all the same.
    package let timezone: String
    /// Weeks: 1 (Monday) to 7. Months, quarters, years: 1 to 31, in a shorter month its last day. Else 1.
    package let startsOnDay: Int
    /// Quarters and years: the month in which the fiscal year starts, 1 to 12. Else 1.
    package let startsInMonth: Int
    let clock: LocalClock

    /// - Throws: an error that names the field.
    package init(
        every: PeriodLength, timezone: String = "UTC", startsOnDay: Int = 1, startsInMonth: Int = 1
    ) throws(ValueError) {
        guard let clock = LocalClock(timezone: timezone) else {
            throw ValueError(message: "must be an IANA time zone such as America/New_York", field: "timezone")
        }
        switch every {
        case .minute, .hour, .day:
            if startsOnDay != 1 {
                throw ValueError(message: "must be 1 for every \(every.rawValue)", field: "starts_on_day")
            }
        case .week:
            guard (1...7).contains(startsOnDay) else {
                throw ValueError(message: "must be between 1 (Monday) and 7 (Sunday)", field: "starts_on_day")
            }
        case .month, .quarter, .year:
            guard (1...31).contains(startsOnDay) else {
                throw ValueError(message: "must be between 1 and 31", field: "starts_on_day")
            }
        }
        switch every {
        case .quarter, .year:
            guard (1...12).contains(startsInMonth) else {
                throw ValueError(message: "must be between 1 and 12", field: "starts_in_month")
            }
        case .minute, .hour, .day, .week, .month:
            if startsInMonth != 1 {
                throw ValueError(message: "must be 1 for every \(every.rawValue)", field: "starts_in_month")
            }
        }
        self.every = every
        self.timezone = timezone
        self.startsOnDay = startsOnDay
        self.startsInMonth = startsInMonth
        self.clock = clock
    }
}

extension PeriodRule: Codable {
    package enum CodingKeys: String, CodingKey, CaseIterable, Sendable {
        case every, timezone
        case startsOnDay = "starts_on_day"
        case startsInMonth = "starts_in_month"
    }

    /// The rule as a user writes it, where a zone left out is the organisation's.
    package struct Body: Decodable, Sendable, Hashable {
        private let every: PeriodLength
        private let timezone: String?
        private let startsOnDay: Int
        private let startsInMonth: Int

        package init(from decoder: any Decoder) throws {
            try decoder.refuseUnknownFields(besides: CodingKeys.self)
            let container = try decoder.container(keyedBy: CodingKeys.self)
            guard let every = PeriodLength(rawValue: try container.decode(String.self, forKey: .every)) else {
                let lengths = PeriodLength.allCases.map(\.rawValue).joined(separator: ", ")
                throw decoder.refusal(
                    ValueError(message: "must be one of \(lengths)", field: CodingKeys.every.rawValue))
            }
            self.every = every
            timezone = try container.decodeIfPresent(String.self, forKey: .timezone)
            startsOnDay = Int(clamping: try decoder.integer(.startsOnDay, in: container) ?? 1)
            startsInMonth = Int(clamping: try decoder.integer(.startsInMonth, in: container) ?? 1)
            do { _ = try rule(defaultTimezone: "UTC") } catch { throw decoder.refusal(error) }
        }

        /// - Parameter defaultTimezone: the organisation's.
        /// - Throws: when that is no time zone; everything else was checked when the body was read.
        package func rule(defaultTimezone: String) throws(ValueError) -> PeriodRule {
            try PeriodRule(
                every: every, timezone: timezone ?? defaultTimezone, startsOnDay: startsOnDay,
                startsInMonth: startsInMonth)
        }
    }

    /// Reads a rule that was stored, or one of an organisation in UTC: a zone left out is UTC.
    package init(from decoder: any Decoder) throws {
        let body = try Body(from: decoder)
        do { self = try body.rule(defaultTimezone: "UTC") } catch { throw decoder.refusal(error) }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(every, forKey: .every)
        try container.encode(timezone, forKey: .timezone)
        try container.encode(startsOnDay, forKey: .startsOnDay)
        try container.encode(startsInMonth, forKey: .startsInMonth)
    }
}
