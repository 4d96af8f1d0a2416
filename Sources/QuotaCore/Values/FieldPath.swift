// Decoders say where they stand by a coding path; users are told by a pointer. This file joins the two.

/// A key that is only known at run time: for finding fields that nobody expects, and for naming where a value stands.
package struct FieldKey: CodingKey, Sendable, Hashable {
    package let stringValue: String
    package let intValue: Int?

    package init(_ name: String) {
        stringValue = name
        intValue = nil
    }

    package init(stringValue: String) { self.init(stringValue) }

    package init(intValue: Int) {
        stringValue = String(intValue)
        self.intValue = intValue
    }

    /// A segment of a `ValueError`'s field.
    init(segment: String) {
        stringValue = segment
        intValue = Int(segment)
    }
}

extension Decoder {
    /// A decoding error at the field that the value error names.
    func refusal(_ error: ValueError) -> DecodingError {
        let segments = error.segments.map { FieldKey(segment: $0) as any CodingKey }
        return DecodingError.dataCorrupted(
            DecodingError.Context(
                codingPath: codingPath + segments, debugDescription: error.message, underlyingError: error))
    }

    /// An integer, nil when left out. JSON's decoder names no field when a number has a fraction or is too large, so the
    /// field is named here.
    func integer<Key: CodingKey>(_ key: Key, in container: KeyedDecodingContainer<Key>) throws -> Int64? {
        do {
            return try container.decodeIfPresent(Int64.self, forKey: key)
        } catch {
            throw refusal(ValueError(message: "must be an integer").within(key.stringValue))
        }
    }

    /// Refuses fields that the type does not have: a misspelt field would otherwise be a rule that does not apply.
    func refuseUnknownFields<Key: CodingKey & CaseIterable>(besides: Key.Type) throws {
        let known = Set(Key.allCases.map(\.stringValue))
        for key in try container(keyedBy: FieldKey.self).allKeys where !known.contains(key.stringValue) {
            throw refusal(ValueError(message: "is not known").within(key.stringValue))
        }
    }
}
