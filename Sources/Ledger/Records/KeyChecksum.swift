// Tells a mistyped or truncated key without asking anyone.

/// CRC-32 (IEEE 802.3) as seven digits in base 32, the most significant first.
enum KeyChecksum {
    static let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)

    private static let table: [UInt32] = (0..<256).map { (index: UInt32) in
        (0..<8).reduce(index) { value, _ in value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1 }
    }

    /// One entry a byte: whether it is a digit of the alphabet.
    private static let digits: [Bool] = (UInt8.min ... .max).map { alphabet.contains($0) }

    static func isDigit(_ byte: UInt8) -> Bool { digits[Int(byte)] }

    static func crc32(_ bytes: some Sequence<UInt8>) -> UInt32 {
        ~bytes.reduce(~UInt32(0)) { value, byte in table[Int((value ^ UInt32(byte)) & 0xFF)] ^ value >> 8 }
    }

    static func text(of bytes: ArraySlice<UInt8>) -> [UInt8] {
        let value = crc32(bytes)
        return (0..<7).map { alphabet[Int(value >> UInt32(30 - 5 * $0) & 31)] }
    }
}
