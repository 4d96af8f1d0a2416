// What the clocks on the wall show. Foundation knows the zones' offsets; the days are counted here, because the rules
// for midnights that do not exist, or exist twice, are ours and must not depend on a library's choice.

import Foundation

/// The local time of one zone.
struct LocalClock: Sendable, Hashable {
    static let secondsPerDay: Int64 = 86_400

    private let zone: TimeZone

    /// - Returns: nil unless the text is the name of a zone in the IANA database. Foundation takes abbreviations and
    ///   offsets such as "PST" and "GMT+5" too: those are refused, because they know no daylight saving time.
    init?(timezone: String) {
        guard timezone == "UTC" || timezone.utf8.contains(UInt8(ascii: "/")), let zone = TimeZone(identifier: timezone)
        else { return nil }
        self.zone = zone
    }

    /// Local time minus UTC, in seconds.
    func offset(at instant: Int64) -> Int64 {
        Int64(zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(instant))))
    }

    /// The day that the calendar on the wall shows, counted from 1970-01-01.
    func day(at instant: Int64) -> Int64 {
        (instant + offset(at: instant)).flooredQuotient(by: Self.secondsPerDay)
    }

    /// The first instant at which local time is that day's midnight or later, before the day's own end: where clocks skip
    /// midnight it is the instant of the skip, where they show it twice the first of the two. A day that is skipped as
    /// a whole starts when the next one does.
    func start(ofDay day: Int64) -> Int64 {
        let midnight = day * Self.secondsPerDay
        // Zones lie between UTC-12 and UTC+14. So these two instants stand before and after every moment at which clocks
        // there may show this midnight, close enough that at most one change of the offset lies between them.
        let before = offset(at: midnight - 15 * 3600)
        let after = offset(at: midnight + 13 * 3600)
        if before == after { return midnight - before }
        let candidates = [midnight - max(before, after), midnight - min(before, after)]
        if let first = candidates.first(where: { $0 + offset(at: $0) == midnight }) { return first }
        return change(from: candidates[0], to: candidates[1])
    }

    /// The first instant with the offset of `end`, by halving; the offset changes once after `start`, up to `end`.
    private func change(from start: Int64, to end: Int64) -> Int64 {
        let target = offset(at: end)
        var old = start
        var new = end
        while new - old > 1 {
            let middle = old + (new - old) / 2
            if offset(at: middle) == target { new = middle } else { old = middle }
        }
        return new
    }
}
