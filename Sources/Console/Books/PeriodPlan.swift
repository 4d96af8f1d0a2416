// Which calendar periods a budget has ahead. What is stored is written once, so a changed rule takes over where the
// stored periods end, and there is neither gap nor overlap.

import QuotaCore

enum PeriodPlan {
    /// How many periods are stored at a time, the current one among them.
    static let planned = 16
    /// With fewer ahead more are stored.
    static let least = 12
    /// With fewer ahead something is wrong with whoever should have stored more.
    static let alarming = 2
    /// The most that are sent to the ledger at once.
    static let maximum = 300

    static func isCalendar(_ every: PeriodLength) -> Bool {
        switch every {
        case .minute, .hour: false
        case .day, .week, .month, .quarter, .year: true
        }
    }

    /// Reads `START:END:ID,...`; what is malformed is left out.
    static func parse(_ text: String) -> [Period] {
        text.split(separator: ",").compactMap { item in
            let parts = item.split(separator: ":", maxSplits: 2)
            guard parts.count == 3, let start = Int64(parts[0]), let end = Int64(parts[1]) else { return nil }
            return Period(id: String(parts[2]), start: start, end: end)
        }
    }

    /// Periods of a budget that has none yet.
    static func fresh(_ rule: PeriodRule, now: Int64) -> [Period] {
        isCalendar(rule.every) ? rule.upcoming(from: now, count: planned) : []
    }

    /// Periods after the rule has changed: those up to the one that contains `bound` stay, the rule makes the others.
    ///
    /// - Parameter bound: the last instant, in seconds, that is bound to what is stored: now, or the start of the newest
    ///   period that has books.
    static func changed(_ stored: [Period], to rule: PeriodRule, bound: Int64) -> [Period] {
        guard isCalendar(rule.every) else { return [] }
        let kept = stored.filter { $0.start <= bound }
        guard let last = kept.last, last.end > bound else { return fresh(rule, now: bound) }
        return kept + following(last, rule, count: planned - 1)
    }

    /// What to add so that enough are ahead; empty when there are.
    static func missing(_ stored: [Period], _ rule: PeriodRule, now: Int64) -> [Period] {
        guard isCalendar(rule.every), let last = stored.last, ahead(stored, now: now) < least else { return [] }
        var added: [Period] = []
        while added.count < maximum, ahead(added, now: now) + ahead(stored, now: now) < planned {
            added += following(added.last ?? last, rule, count: 1)
        }
        return added
    }

    /// How many begin after now.
    static func ahead(_ periods: [Period], now: Int64) -> Int { periods.count { $0.start > now } }

    /// The periods after one, the first beginning where it ends even if the rule would begin it earlier.
    static func following(_ last: Period, _ rule: PeriodRule, count: Int) -> [Period] {
        var periods: [Period] = []
        var last = last
        while periods.count < count {
            let next = rule.period(containing: last.end)
            // Ids ascend. A rest that the rule counts to a period whose id is taken gets one of its own.
            let id = next.id > last.id ? next.id : last.id + "-b"
            last = Period(id: id, start: last.end, end: next.end)
            periods.append(last)
        }
        return periods
    }
}
