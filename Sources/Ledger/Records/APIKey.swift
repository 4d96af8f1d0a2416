// The keys that users hold. Their form tells the organisation and most garbage, so that neither costs a look at Redis.

import Crypto
import QuotaCore

/// A key: `bsr_<organisation>_<id>_<secret><checksum>`.
///
/// The secret has 165 random bits. The checksum covers all that stands before it: it tells typing errors, not attackers.
package struct APIKey: Sendable, Hashable {
    static let prefix = "bsr_"
    static let secretLength = 33
    static let checksumLength = 7
    package static let idLength = 12
    /// Longer than what is made here, so that later versions may make longer ids.
    static let maximumIDLength = 24
    /// Bytes, the whole text.
    package static let maximumLength =
        prefix.utf8.count + Identifier.maximumLength + 1 + maximumIDLength + 1 + secretLength + checksumLength

    package let organisation: String
    package let id: String
    private let text: String

    /// Makes a new key, under a new id unless one is given.
    ///
    /// - Parameter organisation: a valid id.
    /// - Returns: the key and its text, which is to be shown once and stored nowhere.
    package static func generate(
        organisation: String, id: String = RandomIdentifier.make(length: idLength)
    ) -> (key: APIKey, text: String) {
        precondition(Identifier.isValid(organisation), "an organisation has a valid id")
        let head = "\(prefix)\(organisation)_\(id)_\(RandomIdentifier.make(length: secretLength))"
        let text = head + String(decoding: KeyChecksum.text(of: Array(head.utf8)[...]), as: UTF8.self)
        return (APIKey(organisation: organisation, id: id, text: text), text)
    }

    /// Reads a key; nil for anything that `generate` cannot have made.
    package init?(parsing text: String) {
        guard text.utf8.count <= Self.maximumLength, text.utf8.starts(with: Self.prefix.utf8) else { return nil }
        let bytes = Array(text.utf8)
        // From the right: the organisation's id may hold underscores itself.
        guard let last = bytes.lastIndex(of: UInt8(ascii: "_")),
            let middle = bytes[..<last].lastIndex(of: UInt8(ascii: "_")), middle > Self.prefix.utf8.count
        else { return nil }
        let tail = bytes[(last + 1)...]
        let id = bytes[(middle + 1)..<last]
        guard tail.count == Self.secretLength + Self.checksumLength, Self.isWord(tail),
            id.count <= Self.maximumIDLength, Self.isWord(id)
        else { return nil }
        let end = bytes.count - Self.checksumLength
        guard bytes[end...].elementsEqual(KeyChecksum.text(of: bytes[..<end])) else { return nil }
        let organisation = String(decoding: bytes[Self.prefix.utf8.count..<middle], as: UTF8.self)
        guard Identifier.isValid(organisation) else { return nil }
        self.init(organisation: organisation, id: String(decoding: id, as: UTF8.self), text: text)
    }

    private init(organisation: String, id: String, text: String) {
        self.organisation = organisation
        self.id = id
        self.text = text
    }

    /// The SHA-256 of the whole text, 64 lower-case hexadecimal digits: what the books hold of a key.
    package var sha256Hex: String { Hexadecimal.text(SHA256.hash(data: Array(text.utf8))) }

    /// Whether this is the key whose digest is given, in a time that does not depend on where digests differ.
    package func matches(sha256Hex other: String) -> Bool {
        ConstantTime.equal(sha256Hex.utf8, other.utf8)
    }

    private static func isWord(_ bytes: ArraySlice<UInt8>) -> Bool {
        !bytes.isEmpty && bytes.allSatisfy(KeyChecksum.isDigit)
    }
}

extension APIKey: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Without the secret, so that no log can show it.
    package var description: String { "\(Self.prefix)\(organisation)_\(id)_..." }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: ["organisation": organisation, "id": id]) }
}

/// Comparison of secrets.
package enum ConstantTime {
    /// Whether two texts are the same. Only their lengths, which are no secret, can be told from the time that it takes.
    package static func equal(_ left: some Collection<UInt8>, _ right: some Collection<UInt8>) -> Bool {
        guard left.count == right.count else { return false }
        var difference: UInt8 = 0
        for (one, other) in zip(left, right) { difference |= one ^ other }
        return difference == 0
    }
}
