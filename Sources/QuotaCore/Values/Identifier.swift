// Ids of organisations, accounts and budgets stand in URLs, Redis keys and file names, so their alphabet is small.

/// The rule for ids: `[a-z0-9][a-z0-9._-]{0,62}`.
package enum Identifier {
    /// Bytes, which are also characters here.
    package static let maximumLength = 63

    package static func isValid(_ text: String) -> Bool { isValid(bytes: text.utf8) }

    package static func isValid(_ text: Substring) -> Bool { isValid(bytes: text.utf8) }

    private static func isValid(bytes: some Sequence<UInt8>) -> Bool {
        var length = 0
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): break
            case UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                if length == 0 { return false }
            default: return false
            }
            length += 1
            if length > maximumLength { return false }
        }
        return length > 0
    }
}
