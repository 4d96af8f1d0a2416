// Writes JSON straight into a ByteBuffer, member by member: no Encodable, no intermediate strings.

import NIOCore

/// A JSON text in the making. Commas are put in by the writer; keys are literals and are written as they stand.
package struct JSONWriter: Sendable {
    package private(set) var buffer: ByteBuffer
    private var needsComma = false

    package init(capacity: Int = 512) {
        buffer = ByteBufferAllocator().buffer(capacity: capacity)
    }

    // MARK: Structure

    /// An object as a value (or as the whole text).
    package mutating func object(_ body: (inout JSONWriter) -> Void) {
        open(UInt8(ascii: "{"))
        body(&self)
        close(UInt8(ascii: "}"))
    }

    /// An object as a member.
    package mutating func object(_ key: StaticString, _ body: (inout JSONWriter) -> Void) {
        self.key(key)
        object(body)
    }

    /// An object under a key that is data.
    package mutating func object(named key: String, _ body: (inout JSONWriter) -> Void) {
        self.key(key)
        object(body)
    }

    package mutating func array<Items: Sequence>(
        _ key: StaticString, _ items: Items, _ each: (inout JSONWriter, Items.Element) -> Void
    ) {
        self.key(key)
        array(items, each)
    }

    package mutating func array<Items: Sequence>(_ items: Items, _ each: (inout JSONWriter, Items.Element) -> Void) {
        open(UInt8(ascii: "["))
        for item in items { each(&self, item) }
        close(UInt8(ascii: "]"))
    }

    // MARK: Members

    package mutating func field(_ key: StaticString, _ value: String?) {
        self.key(key)
        if let value { string(value) } else { null() }
    }

    /// The usual kind of integer; other targets pay for generics at run time.
    package mutating func field(_ key: StaticString, _ value: Int64?) {
        self.key(key)
        if let value { integer(value) } else { null() }
    }

    package mutating func field(_ key: StaticString, _ value: (some FixedWidthInteger)?) {
        self.key(key)
        if let value { integer(value) } else { null() }
    }

    package mutating func field(_ key: StaticString, _ value: Bool?) {
        self.key(key)
        guard let value else { return null() }
        literal(value ? "true" : "false")
    }

    package mutating func field(_ key: StaticString, _ value: Double?) {
        self.key(key)
        guard let value, value.isFinite else { return null() }
        literal("\(value)")
    }

    package mutating func field(named key: String, _ value: String?) {
        self.key(key)
        if let value { string(value) } else { null() }
    }

    /// `value / 10^places` as a decimal string without trailing zeros.
    package mutating func decimal(_ key: StaticString, _ value: Int64?, places: Int) {
        self.key(key)
        guard let value else { return null() }
        separate()
        buffer.writeInteger(UInt8(ascii: "\""))
        Self.writeDecimal(value, places: places, into: &buffer)
        buffer.writeInteger(UInt8(ascii: "\""))
        needsComma = true
    }

    /// An RFC 3339 time in UTC from ms since 1970.
    package mutating func time(_ key: StaticString, _ milliseconds: Int64?) {
        self.key(key)
        guard let milliseconds else { return null() }
        separate()
        buffer.writeInteger(UInt8(ascii: "\""))
        RFC3339.write(milliseconds, into: &buffer)
        buffer.writeInteger(UInt8(ascii: "\""))
        needsComma = true
    }

    /// A member whose value is JSON already.
    package mutating func raw(_ key: StaticString, json: String) {
        self.key(key)
        literal(json)
    }

    /// JSON text as a value.
    package mutating func raw(json: ByteBuffer) {
        separate()
        buffer.writeImmutableBuffer(json)
        needsComma = true
    }

    // MARK: Values

    package mutating func string(_ value: String) {
        var value = value
        value.withUTF8 { bytes in
            if bytes.contains(where: { $0 < 0x20 || $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\") }) {
                separate()
                buffer.writeInteger(UInt8(ascii: "\""))
                for byte in bytes { escape(byte) }
                buffer.writeInteger(UInt8(ascii: "\""))
            } else {
                quote(UnsafeRawBufferPointer(bytes), then: nil)
            }
        }
        needsComma = true
    }

    /// Comma where one is due, quotes, and what follows the closing one, in one write.
    private mutating func quote(_ text: UnsafeRawBufferPointer, then mark: UInt8?) {
        let comma = needsComma
        _ = buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: text.count + 4) { out in
            var at = 0
            if comma {
                out[0] = UInt8(ascii: ",")
                at = 1
            }
            out[at] = UInt8(ascii: "\"")
            UnsafeMutableRawBufferPointer(rebasing: out[(at + 1)...]).copyMemory(from: text)
            at += 1 + text.count
            out[at] = UInt8(ascii: "\"")
            at += 1
            if let mark {
                out[at] = mark
                at += 1
            }
            return at
        }
    }

    package mutating func integer(_ value: some FixedWidthInteger) {
        separate()
        Self.writeInteger(Int64(value), into: &buffer)
        needsComma = true
    }

    package mutating func null() { literal("null") }

    private mutating func literal(_ text: String) {
        separate()
        buffer.writeString(text)
        needsComma = true
    }

    package mutating func key(_ key: StaticString) {
        quote(UnsafeRawBufferPointer(start: key.utf8Start, count: key.utf8CodeUnitCount), then: UInt8(ascii: ":"))
        needsComma = false
    }

    package mutating func key(_ key: String) {
        string(key)
        buffer.writeInteger(UInt8(ascii: ":"))
        needsComma = false
    }

    private mutating func separate() {
        if needsComma { buffer.writeInteger(UInt8(ascii: ",")) }
    }

    private mutating func open(_ byte: UInt8) {
        separate()
        buffer.writeInteger(byte)
        needsComma = false
    }

    private mutating func close(_ byte: UInt8) {
        buffer.writeInteger(byte)
        needsComma = true
    }

    private mutating func escape(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""): buffer.writeStaticString("\\\"")
        case UInt8(ascii: "\\"): buffer.writeStaticString("\\\\")
        case 0x0A: buffer.writeStaticString("\\n")
        case 0..<0x20: buffer.writeString("\\u00" + (byte < 0x10 ? "0" : "") + String(byte, radix: 16))
        default: buffer.writeInteger(byte)
        }
    }

    // MARK: Numbers

    static func writeInteger(_ value: Int64, into buffer: inout ByteBuffer) {
        if value >= 0, value < 10 {
            buffer.writeInteger(UInt8(ascii: "0") + UInt8(value))
            return
        }
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
            var rest = value.magnitude
            var at = 20
            repeat {
                at -= 1
                digits[at] = UInt8(ascii: "0") + UInt8(rest % 10)
                rest /= 10
            } while rest > 0
            if value < 0 { buffer.writeInteger(UInt8(ascii: "-")) }
            buffer.writeBytes(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(digits)[at..<20]))
        }
    }

    static func writeDecimal(_ value: Int64, places: Int, into buffer: inout ByteBuffer) {
        var scale: UInt64 = 1
        for _ in 0..<places { scale *= 10 }
        let whole = value.magnitude / scale
        var fraction = value.magnitude % scale
        if value < 0 { buffer.writeInteger(UInt8(ascii: "-")) }
        writeInteger(Int64(clamping: whole), into: &buffer)
        guard fraction > 0 else { return }
        buffer.writeInteger(UInt8(ascii: "."))
        while fraction > 0 {
            scale /= 10
            buffer.writeInteger(UInt8(ascii: "0") + UInt8(fraction / scale))
            fraction %= scale
        }
    }
}
