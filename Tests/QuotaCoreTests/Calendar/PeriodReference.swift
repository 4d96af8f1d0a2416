// A second opinion on periods: Python's zoneinfo, which has its own reader of the time zone database, its own calendar
// and its own rules for times that do not exist. Its search for a missing midnight is another one than ours.

import Foundation
import QuotaCore
import Testing

/// Periods as Python computes them. One process for all zones: starting it takes longer than its work for one.
enum PeriodReference {
    /// One line a rule: `zone every starts_on_day starts_in_month id=start id=start ...`.
    static func lines(years: ClosedRange<Int>, rules: [PeriodRule]) throws -> [Substring] {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        let described = rules.map { "\($0.timezone),\($0.every.rawValue),\($0.startsOnDay),\($0.startsInMonth)" }
        process.arguments =
            ["python3", "-c", script, String(years.lowerBound), String(years.upperBound)] + described
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let data = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "python3 with zoneinfo and a time zone database is needed")
        return String(decoding: data, as: UTF8.self).split(separator: "\n")
    }

    private static let script = #"""
        import calendar, sys
        from datetime import date, datetime, timedelta, timezone
        from zoneinfo import ZoneInfo

        first, last = int(sys.argv[1]), int(sys.argv[2])
        zone = None
        known = {}

        def local(instant):
            return datetime.fromtimestamp(instant, zone).replace(tzinfo=None)

        def start(day):
            if day in known:
                return known[day]
            midnight = datetime(day.year, day.month, day.day)
            instant = int(midnight.replace(tzinfo=zone, fold=0).timestamp())
            if local(instant) != midnight:
                low, high = instant - 2 * 86400, instant + 2 * 86400
                while high - low > 1:
                    middle = (low + high) // 2
                    if local(middle) >= midnight:
                        high = middle
                    else:
                        low = middle
                instant = high
            known[day] = instant
            return instant

        def clamped(year, month, day):
            return date(year, month, min(day, calendar.monthrange(year, month)[1]))

        def days(every, on_day, in_month):
            if every == 'day' or every == 'week':
                day = date(first, 1, 1)
                while day <= date(last, 12, 31):
                    if every == 'day' or day.isoweekday() == on_day:
                        yield day
                    day += timedelta(days=1)
                return
            step = {'month': 1, 'quarter': 3, 'year': 12}[every]
            for year in range(first, last + 1):
                for month in range(1, 13):
                    if (month - in_month) % step == 0:
                        yield clamped(year, month, on_day)

        def name_of(every, day):
            if every == 'day':
                return day.isoformat()
            if every == 'week':
                return '%04d-W%02d' % day.isocalendar()[:2]
            if every == 'month':
                return '%04d-%02d' % (day.year, day.month)
            if every == 'quarter':
                return '%04d-Q%d' % (day.year, (day.month + 2) // 3)
            return '%04d' % day.year

        # Hours and minutes are counted in UTC: of each month of the years the period at a moment of its own.
        def moments(every):
            form = '%Y-%m-%dT%HZ' if every == 'hour' else '%Y-%m-%dT%H:%MZ'
            for year in range(first, last + 1):
                for month in range(1, 13):
                    at = datetime(year, month, (year + month) % 28 + 1, year % 24, month * 4, tzinfo=timezone.utc)
                    start = at.replace(minute=0) if every == 'hour' else at
                    yield start.strftime(form), int(start.timestamp())

        for argument in sys.argv[3:]:
            name, every, on_day, in_month = argument.split(',')
            if every in ('hour', 'minute'):
                print(name, every, on_day, in_month, *('%s=%d' % p for p in moments(every)))
                continue
            if zone is None or zone.key != name:
                zone = ZoneInfo(name)
                known = {}
            periods = [(name_of(every, day), start(day)) for day in days(every, int(on_day), int(in_month))]
            # A day that the zone skipped has no instant, so it is no period.
            kept = [p for p, q in zip(periods, periods[1:]) if p[1] < q[1]] + periods[-1:]
            print(name, every, on_day, in_month, *('%s=%d' % p for p in kept))
        """#
}
