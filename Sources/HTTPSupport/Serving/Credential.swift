// Takes the credential out of a request, and compares secrets without telling by time how much of them was right.

import HTTPTypes

package enum Credential {
    /// The key of `Authorization: Bearer` or `x-api-key`; nil when there is none, or it is not one word.
    package static func read(_ headers: HTTPFields) -> String? {
        if let value = headers[.authorization] {
            guard value.utf8.count > 7, value.utf8.count <= 1024 else { return nil }
            let split = value.utf8.index(value.startIndex, offsetBy: 6)
            guard value.utf8[split] == UInt8(ascii: " "),
                zip(value.utf8, "bearer".utf8).allSatisfy({ $0 | 0x20 == $1 })
            else { return nil }
            return word(value[split...])
        }
        return headers[.apiKey].flatMap { word($0[...]) }
    }

    private static func word(_ text: Substring) -> String? {
        let trimmed = text.drop { $0 == " " }
        guard (1...1024).contains(trimmed.utf8.count), trimmed.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            return nil
        }
        return String(trimmed)
    }

    /// Equality in time that depends on the length of `given` only.
    package static func matches(_ given: String, secret: String) -> Bool {
        let expected = Array(secret.utf8)
        guard !expected.isEmpty else { return false }
        var difference = expected.count ^ given.utf8.count
        for (index, byte) in given.utf8.enumerated() {
            difference |= Int(byte ^ expected[index % expected.count])
        }
        return difference == 0
    }
}
