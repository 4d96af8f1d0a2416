// Records are kept in Redis as JSON, and shown to users as the same JSON: there is one way to write and read them.

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// JSON of records. Fields stand in order of their names, so that equal records are equal texts and their difference can
/// be shown line by line.
package enum RecordCoding {
    /// - Throws: `.unexpectedAnswer` for a value that JSON cannot hold; no record has one.
    package static func json(_ record: some Encodable) throws(LedgerError) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return String(decoding: try encoder.encode(record), as: UTF8.self)
        } catch {
            throw LedgerError(.unexpectedAnswer, "a record cannot be written as JSON", cause: error)
        }
    }

    /// Reads a record of the books. Fields that this version does not know are passed over: a newer one may have written
    /// them.
    ///
    /// - Throws: `.unexpectedAnswer` when it is no such record.
    package static func decode<Record: Decodable>(
        _ type: Record.Type, from json: String
    ) throws(LedgerError) -> Record {
        do {
            return try JSONDecoder().decode(type, from: Data(json.utf8))
        } catch {
            throw LedgerError(.unexpectedAnswer, "a record in the books is malformed: \(error)", cause: error)
        }
    }
}

/// A part of a body whose field names are known, so that others can be refused.
package protocol RecordFields {
    associatedtype CodingKeys: CodingKey & CaseIterable
}

extension RecordFields {
    /// The names of all fields as JSON has them.
    package static var knownKeys: [String] { CodingKeys.allCases.map(\.stringValue) }
}

extension KeyedDecodingContainer {
    /// One of a few words, nil when left out. The refusal names the words.
    func choice<Value: RawRepresentable<String>>(_ key: Key, of choices: [Value]) throws -> Value? {
        try choice(key, words: choices.map(\.rawValue).joined(separator: ", "))
    }

    /// As above, for words that are too many to list; `words` describes them.
    func choice<Value: RawRepresentable<String>>(_ key: Key, words: String) throws -> Value? {
        guard let text = try decodeIfPresent(String.self, forKey: key) else { return nil }
        if let value = Value(rawValue: text) { return value }
        throw DecodingError.dataCorruptedError(forKey: key, in: self, debugDescription: "must be one of \(words)")
    }

    /// As above, for a field that must be there.
    func required<Value: RawRepresentable<String>>(_ key: Key, of choices: [Value]) throws -> Value {
        if let value = try choice(key, of: choices) { return value }
        throw DecodingError.keyNotFound(
            key, DecodingError.Context(codingPath: codingPath, debugDescription: "must be given"))
    }
}
