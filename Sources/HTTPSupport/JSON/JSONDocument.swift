// Parses a JSON body once, strictly, into one flat list of tokens over its bytes. No tree and no strings are built:
// readers compare and decode in place, so that the decision path pays for what it reads only.

import NIOCore

/// A checked JSON text (RFC 8259): valid UTF-8, no duplicate keys, no lone surrogates, at most `maximumDepth` deep.
package struct JSONDocument: Sendable {
    /// Deeper nesting is refused; nothing in the API needs more.
    package static let maximumDepth = 32

    enum Kind: UInt8, Sendable { case object, array, string, number, yes, no, null }

    /// One token. An object is followed by its keys and values in turn, an array by its elements.
    struct Node: Sendable {
        var kind: Kind
        var escaped: Bool
        /// Byte range of the token; for strings without the quotes.
        var start: UInt32
        var end: UInt32
        /// Index of the first node after this one and all it holds.
        var next: UInt32
    }

    let bytes: ByteBuffer
    let nodes: [Node]

    /// - Throws: a 400 `malformed_json` problem that names the byte.
    package init(_ bytes: ByteBuffer) throws(Problem) {
        self.bytes = bytes
        var parser = JSONParser()
        let failure = bytes.withUnsafeReadableBytes { parser.parse($0) }
        if let failure { throw .malformedJSON(failure.reason, at: failure.offset) }
        nodes = parser.nodes
    }

    func withBytes<Result>(of node: Int, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        let token = nodes[node]
        return bytes.withUnsafeReadableBytes {
            body(UnsafeRawBufferPointer(rebasing: $0[Int(token.start)..<Int(token.end)]))
        }
    }

    /// The value of a string node, or the text of a number.
    func text(of node: Int) -> String {
        withBytes(of: node) { nodes[node].escaped ? JSONEscapes.decode($0) : String(decoding: $0, as: UTF8.self) }
    }

    func key(_ node: Int, is name: StaticString) -> Bool {
        let token = nodes[node]
        if token.escaped { return text(of: node) == "\(name)" }
        let length = name.utf8CodeUnitCount
        guard Int(token.end - token.start) == length else { return false }
        return withBytes(of: node) {
            $0.elementsEqual(UnsafeRawBufferPointer(start: name.utf8Start, count: length))
        }
    }
}

/// Decodes the escapes of a string that the parser has accepted.
enum JSONEscapes {
    static func decode(_ bytes: UnsafeRawBufferPointer) -> String {
        var units: [UInt8] = []
        units.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            index += 1
            guard byte == UInt8(ascii: "\\") else {
                units.append(byte)
                continue
            }
            let escape = bytes[index]
            index += 1
            switch escape {
            case UInt8(ascii: "b"): units.append(0x08)
            case UInt8(ascii: "f"): units.append(0x0C)
            case UInt8(ascii: "n"): units.append(0x0A)
            case UInt8(ascii: "r"): units.append(0x0D)
            case UInt8(ascii: "t"): units.append(0x09)
            case UInt8(ascii: "u"):
                var scalar = hex(bytes, at: index)
                index += 4
                if scalar & 0xFC00 == 0xD800 {
                    scalar = 0x10000 + ((scalar & 0x3FF) << 10) + (hex(bytes, at: index + 2) & 0x3FF)
                    index += 6
                }
                units.append(contentsOf: String(Unicode.Scalar(scalar) ?? "\u{FFFD}").utf8)
            default: units.append(escape)
            }
        }
        return String(decoding: units, as: UTF8.self)
    }

    /// Four hexadecimal digits as a number. Callers have checked that they are digits.
    static func hex(_ bytes: UnsafeRawBufferPointer, at index: Int) -> UInt32 {
        var value: UInt32 = 0
        for offset in 0..<4 { value = value << 4 | UInt32(digit(bytes[index + offset]) ?? 0) }
        return value
    }

    static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
