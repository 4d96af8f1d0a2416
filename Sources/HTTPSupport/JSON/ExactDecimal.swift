// Decimal text to a scaled integer without passing through a Double. Numbers may have an exponent, because many JSON
// writers print small ones that way (1e-05).

package enum ExactDecimal {
    /// Larger exponents are no amounts.
    private static let maximumExponent: Int64 = 400

    /// - Returns: the value times 10^places; nil when it is no decimal, has more places, or leaves Int64.
    package static func parse(_ text: UnsafeRawBufferPointer, places: Int) -> Int64? {
        var index = 0
        let negative = sign(text, &index)
        var value: Int64 = 0
        // Zeros are held back until another digit follows, so that trailing ones cannot overflow.
        var zeros: Int64 = 0
        var digits = 0
        var fraction: Int64?
        while index < text.count, text[index] | 0x20 != UInt8(ascii: "e") {
            let byte = text[index]
            index += 1
            if byte == UInt8(ascii: "."), fraction == nil, digits > 0 {
                fraction = 0
                continue
            }
            let digit = byte &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            digits += 1
            if let count = fraction { fraction = count + 1 }
            guard digit > 0 else {
                zeros += 1
                continue
            }
            guard let shifted = shift(value, by: zeros + 1) else { return nil }
            let (sum, overflow) = shifted.addingReportingOverflow(Int64(digit))
            if overflow { return nil }
            value = sum
            zeros = 0
        }
        guard digits > 0, fraction != 0, let exponent = exponent(text, &index) else { return nil }
        let scaled = shift(value, by: Int64(places) + exponent - (fraction ?? 0) + zeros)
        return scaled.map { negative ? -$0 : $0 }
    }

    package static func parse(_ text: String, places: Int) -> Int64? {
        var text = text
        return text.withUTF8 { parse(UnsafeRawBufferPointer($0), places: places) }
    }

    private static func sign(_ text: UnsafeRawBufferPointer, _ index: inout Int) -> Bool {
        guard index < text.count, text[index] == UInt8(ascii: "-") || text[index] == UInt8(ascii: "+") else {
            return false
        }
        index += 1
        return text[index - 1] == UInt8(ascii: "-")
    }

    /// What stands after the digits: nothing, or `e` and an integer.
    private static func exponent(_ text: UnsafeRawBufferPointer, _ index: inout Int) -> Int64? {
        guard index < text.count else { return 0 }
        index += 1
        let negative = sign(text, &index)
        guard index < text.count else { return nil }
        var value: Int64 = 0
        while index < text.count {
            let digit = text[index] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            value = min(value * 10 + Int64(digit), maximumExponent)
            index += 1
        }
        return negative ? -value : value
    }

    /// `value` times 10^count; nil when digits would be lost at either end.
    private static func shift(_ value: Int64, by count: Int64) -> Int64? {
        guard value != 0 else { return 0 }
        var result = value
        for _ in 0..<abs(count) {
            if count > 0 {
                let (product, overflow) = result.multipliedReportingOverflow(by: 10)
                if overflow { return nil }
                result = product
            } else {
                guard result % 10 == 0 else { return nil }
                result /= 10
            }
        }
        return result
    }
}
