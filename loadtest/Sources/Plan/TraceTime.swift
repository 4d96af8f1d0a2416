// The trace's time stamps, read by hand: they have seven fractional digits, a million of them must take no time, and
// no time zone data is needed for UTC.

/// UTC times in ticks of 100 ns since 1970.
enum TraceTime {
    static let ticksPerSecond: Int64 = 10_000_000

    /// Reads `YYYY-MM-DD HH:MM:SS[.fffffff][Z]`, with a blank or a `T` in the middle.
    ///
    /// - Returns: ticks; nil for anything else, days that don't exist included.
    static func parse(_ text: ArraySlice<UInt8>) -> Int64? {
        var text = text
        guard let year = number(&text, digits: 4), skip(&text, "-"), let month = number(&text, digits: 2),
            skip(&text, "-"), let day = number(&text, digits: 2), skip(&text, " ") || skip(&text, "T"),
            let hour = number(&text, digits: 2), skip(&text, ":"), let minute = number(&text, digits: 2),
            skip(&text, ":"), let second = number(&text, digits: 2)
        else { return nil }
        guard (1...12).contains(month), day >= 1, day <= days(in: month, of: year), hour < 24, minute < 60, second < 60
        else { return nil }
        var ticks: Int64 = 0
        if skip(&text, ".") {
            var scale = ticksPerSecond
            while let digit = text.first.flatMap(digit), scale > 1 {
                scale /= 10
                ticks += digit * scale
                text.removeFirst()
            }
            if scale == ticksPerSecond { return nil }
        }
        _ = skip(&text, "Z")
        guard text.isEmpty else { return nil }
        let seconds = dayNumber(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second
        return seconds * ticksPerSecond + ticks
    }

    /// Days since 1970-01-01, in the Gregorian calendar: the year begins in March, so that the leap day is its last.
    private static func dayNumber(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let shifted = month > 2 ? year : year - 1
        let monthFromMarch = (month + 9) % 12
        let leapDays = shifted / 4 - shifted / 100 + shifted / 400
        let dayFromMarch = (153 * monthFromMarch + 2) / 5 + day - 1
        return shifted * 365 + leapDays + dayFromMarch - 719_468
    }

    private static func days(in month: Int64, of year: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    private static func number(_ text: inout ArraySlice<UInt8>, digits: Int) -> Int64? {
        guard text.count >= digits else { return nil }
        var value: Int64 = 0
        for _ in 0..<digits {
            guard let digit = digit(text.removeFirst()) else { return nil }
            value = value * 10 + digit
        }
        return value
    }

    private static func digit(_ byte: UInt8) -> Int64? {
        byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") ? Int64(byte - UInt8(ascii: "0")) : nil
    }

    private static func skip(_ text: inout ArraySlice<UInt8>, _ character: Unicode.Scalar) -> Bool {
        guard text.first == UInt8(ascii: character) else { return false }
        text.removeFirst()
        return true
    }
}
