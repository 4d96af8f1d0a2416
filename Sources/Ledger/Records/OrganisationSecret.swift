// The key that proves to a node that an id was made by another node of the same organisation.

/// One secret of an organisation.
package struct OrganisationSecret: Sendable, Hashable, Codable {
    /// Stands in what the secret has signed, so that it is found again after a rotation.
    package var id: String
    /// 32 bytes, as lower-case hexadecimal digits.
    package var key: String

    package init(id: String, key: String) {
        self.id = id
        self.key = key
    }

    /// A new secret.
    package static func generate() -> OrganisationSecret {
        var generator = SystemRandomNumberGenerator()
        let bytes = (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        return OrganisationSecret(id: RandomIdentifier.make(length: 4), key: Hexadecimal.text(bytes))
    }

    /// The key's bytes; nil when it is no secret that `generate` makes.
    package var bytes: [UInt8]? {
        guard let bytes = Hexadecimal.bytes(key), bytes.count == 32 else { return nil }
        return bytes
    }
}

extension OrganisationSecret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Secrets do not appear in logs.
    package var description: String { "secret \(id)" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: ["id": id]) }
}

/// The secrets of an organisation, the newest first: it signs, all verify.
package struct OrganisationSecrets: Sendable, Hashable {
    /// Older ones are forgotten: what they signed has long been settled.
    package static let maximum = 3

    package private(set) var list: [OrganisationSecret]

    /// - Parameter list: the newest first; what goes beyond `maximum` is dropped.
    package init(_ list: [OrganisationSecret]) { self.list = Array(list.prefix(Self.maximum)) }

    /// Reads the field `secrets` of the head of the books.
    ///
    /// - Throws: `.unexpectedAnswer` when it is malformed or empty.
    package init(json: String) throws(LedgerError) {
        self.init(try RecordCoding.decode([OrganisationSecret].self, from: json))
        guard !list.isEmpty, list.allSatisfy({ $0.bytes != nil }) else {
            throw LedgerError(.unexpectedAnswer, "the secrets in the books are malformed")
        }
    }

    /// The field `secrets`.
    package func json() throws(LedgerError) -> String { try RecordCoding.json(list) }

    /// The one that signs.
    package var newest: OrganisationSecret? { list.first }

    package func secret(id: String) -> OrganisationSecret? { list.first { $0.id == id } }

    /// The secrets after a new one has been put first.
    package func rotated(to secret: OrganisationSecret = .generate()) -> OrganisationSecrets {
        OrganisationSecrets([secret] + list)
    }
}
