// RFC 3339 times by civil-date arithmetic: a formatter object costs more than the whole decision.
// The day count follows the proleptic Gregorian calendar with years that begin in March.

import NIOCore

/// Times on the wire. In the program they are ms since 1970, UTC.
package enum RFC3339 {
    /// `2026-11-24T14:07:13Z`, with `.123` when there are ms.
    package static func string(_ milliseconds: Int64) -> String {
        var buffer = ByteBuffer()
        write(milliseconds, into: &buffer)
        return String(buffer: buffer)
    }

    static func write(_ milliseconds: Int64, into buffer: inout ByteBuffer) {
        // Year 0000 to 9999 is what the format can say.
        let clamped = min(max(milliseconds, -62_167_219_200_000), 253_402_300_799_999)
        let (days, inDay) = divide(clamped, by: 86_400_000)
        let (year, month, day) = civil(days)
        _ = buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: 24) { out in
            var at = 0
            func put(_ mark: UInt8) {
                out[at] = mark
                at += 1
            }
            func pad(_ value: Int64, _ width: Int) {
                var rest = value
                for place in (at..<at + width).reversed() {
                    out[place] = UInt8(ascii: "0") + UInt8(rest % 10)
                    rest /= 10
                }
                at += width
            }
            pad(year, 4)
            put(UInt8(ascii: "-"))
            pad(month, 2)
            put(UInt8(ascii: "-"))
            pad(day, 2)
            put(UInt8(ascii: "T"))
            pad(inDay / 3_600_000, 2)
            put(UInt8(ascii: ":"))
            pad(inDay / 60_000 % 60, 2)
            put(UInt8(ascii: ":"))
            pad(inDay / 1000 % 60, 2)
            if inDay % 1000 != 0 {
                put(UInt8(ascii: "."))
                pad(inDay % 1000, 3)
            }
            put(UInt8(ascii: "Z"))
            return at
        }
    }

    /// - Returns: ms since 1970; nil when the text is no RFC 3339 time. Finer fractions are cut; a leap second
    ///   counts as the second after.
    package static func parse(_ text: String) -> Int64? {
        let bytes = Array(text.utf8)
        guard bytes.count >= 20, bytes.count <= 40, bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-"),
            bytes[10] | 0x20 == UInt8(ascii: "t"), bytes[13] == UInt8(ascii: ":"), bytes[16] == UInt8(ascii: ":"),
            let year = number(bytes, 0, 4), let month = number(bytes, 5, 2), let day = number(bytes, 8, 2),
            let hour = number(bytes, 11, 2), let minute = number(bytes, 14, 2), let second = number(bytes, 17, 2),
            (1...12).contains(month), (1...length(of: month, year)).contains(day), hour < 24, minute < 60, second <= 60
        else { return nil }
        var index = 19
        var fraction: Int64 = 0
        if bytes[index] == UInt8(ascii: ".") {
            index += 1
            var scale: Int64 = 100
            let start = index
            while index < bytes.count, bytes[index] &- UInt8(ascii: "0") < 10 {
                fraction += Int64(bytes[index] - UInt8(ascii: "0")) * scale
                scale /= 10
                index += 1
            }
            guard index > start else { return nil }
        }
        guard let offset = zone(bytes, index) else { return nil }
        let seconds = self.days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset * 60
        return seconds * 1000 + fraction
    }

    /// Minutes east of UTC.
    private static func zone(_ bytes: [UInt8], _ index: Int) -> Int64? {
        guard index < bytes.count else { return nil }
        if bytes[index] | 0x20 == UInt8(ascii: "z") { return index + 1 == bytes.count ? 0 : nil }
        let sign: Int64 = bytes[index] == UInt8(ascii: "-") ? -1 : 1
        guard bytes[index] == UInt8(ascii: "+") || sign < 0, index + 6 == bytes.count,
            bytes[index + 3] == UInt8(ascii: ":"), let hours = number(bytes, index + 1, 2),
            let minutes = number(bytes, index + 4, 2), hours < 24, minutes < 60
        else { return nil }
        return sign * (hours * 60 + minutes)
    }

    private static func number(_ bytes: [UInt8], _ start: Int, _ count: Int) -> Int64? {
        var value: Int64 = 0
        for byte in bytes[start..<start + count] {
            let digit = byte &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            value = value * 10 + Int64(digit)
        }
        return value
    }

    private static func length(of month: Int64, _ year: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Division that rounds towards the past, so that times before 1970 come out right.
    private static func divide(_ value: Int64, by divisor: Int64) -> (Int64, Int64) {
        let rest = ((value % divisor) + divisor) % divisor
        return ((value - rest) / divisor, rest)
    }

    private static func civil(_ days: Int64) -> (Int64, Int64, Int64) {
        let (era, dayOfEra) = divide(days + 719_468, by: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shifted + 2) / 5 + 1)
    }

    private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let (era, yearOfEra) = divide(shifted, by: 400)
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}
