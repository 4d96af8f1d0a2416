// Between the text that users write and the integers that the books hold. Money never passes through a Double.

/// Amounts of the books: `Int64` in the smallest part of the unit (micro-dollars, tokens, requests).
package enum Amount {
    /// The largest amount, 2^52: the sum of two is still below 2^53 and so exact in a double, which is what Lua has.
    package static let maximum: Int64 = 1 << 52
    /// The largest amount in nano-dollars: `maximum` micro-dollars.
    package static let maximumNano: Int64 = maximum * 1000

    /// Reads an amount: digits, for `usd` also a point followed by up to six digits.
    ///
    /// - Parameter signed: whether one leading `+` or `-` may stand there, as in adjustments.
    /// - Throws: a text that says what is accepted; for anything else, exponents and blanks included.
    package static func parse(
        _ text: String, unit: BudgetUnit, signed: Bool = false
    ) throws(ValueError) -> Int64 {
        try parse(text, places: places(of: unit), maximum: maximum, signed: signed)
    }

    /// The shortest text of an amount that `parse` reads back: "1203.5", "5000", "-0.000001".
    package static func format(_ amount: Int64, unit: BudgetUnit) -> String {
        format(amount, places: places(of: unit))
    }

    /// Reads dollars with up to nine places, as a single charge has them.
    ///
    /// - Returns: nano-dollars, never negative.
    package static func parseNano(_ text: String) throws(ValueError) -> Int64 {
        try parse(text, places: 9, maximum: maximumNano, signed: false)
    }

    /// The shortest text of nano-dollars in dollars.
    package static func formatNano(_ nano: Int64) -> String { format(nano, places: 9) }

    private static func places(of unit: BudgetUnit) -> Int { unit == .usd ? 6 : 0 }

    private static func parse(
        _ text: String, places: Int, maximum: Int64, signed: Bool
    ) throws(ValueError) -> Int64 {
        var digits = text.utf8[...]
        var negative = false
        if let sign = digits.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
            digits = digits.dropFirst()
            negative = sign == UInt8(ascii: "-")
            if !signed {
                let isNumber = digits.first.map(isDigit) ?? false
                throw isNumber && negative ? ValueError(message: "must not be negative") : malformed(places: places)
            }
        }
        var value: Int64 = 0
        var wholeDigits = 0
        var fractionDigits: Int?
        var tooLarge = false
        for byte in digits {
            if isDigit(byte) {
                if let seen = fractionDigits {
                    if seen == places { throw malformed(places: places) }
                    fractionDigits = seen + 1
                } else {
                    wholeDigits += 1
                }
                append(byte, to: &value, maximum: maximum, tooLarge: &tooLarge)
            } else if byte == UInt8(ascii: "."), fractionDigits == nil, places > 0 {
                fractionDigits = 0
            } else {
                throw malformed(places: places)
            }
        }
        guard wholeDigits > 0, fractionDigits != 0 else { throw malformed(places: places) }
        for _ in (fractionDigits ?? 0)..<places {
            append(UInt8(ascii: "0"), to: &value, maximum: maximum, tooLarge: &tooLarge)
        }
        if tooLarge { throw ValueError(message: "must be at most \(format(maximum, places: places))") }
        return negative ? -value : value
    }

    /// Appends a digit while the value stays within the maximum. Too large is only remembered: a text that is both too
    /// large and malformed is told that it is malformed.
    private static func append(_ digit: UInt8, to value: inout Int64, maximum: Int64, tooLarge: inout Bool) {
        let (product, overflowed) = value.multipliedReportingOverflow(by: 10)
        let (sum, carried) = product.addingReportingOverflow(Int64(digit - UInt8(ascii: "0")))
        if tooLarge || overflowed || carried || sum > maximum {
            tooLarge = true
        } else {
            value = sum
        }
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
    }

    private static func malformed(places: Int) -> ValueError {
        let kind = places == 0 ? "an integer" : "a decimal number with at most \(places) places"
        return ValueError(message: "must be \(kind)")
    }

    private static func format(_ amount: Int64, places: Int) -> String {
        var scale: UInt64 = 1
        for _ in 0..<places { scale *= 10 }
        let (whole, rest) = amount.magnitude.quotientAndRemainder(dividingBy: scale)
        let sign = amount < 0 ? "-" : ""
        if rest == 0 { return "\(sign)\(whole)" }
        var fraction = String(rest)
        fraction = String(repeating: "0", count: places - fraction.utf8.count) + fraction
        while fraction.utf8.last == UInt8(ascii: "0") { fraction.removeLast() }
        return "\(sign)\(whole).\(fraction)"
    }
}
