// A JSON value of any shape: for merging patches into records and for showing records as they are kept. Numbers are
// decimals, so that nothing passes through a Double.

import Foundation
import HTTPSupport
import NIOCore

enum JSONValue: Sendable, Hashable {
    case null
    case bool(Bool)
    case number(Decimal)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    /// - Returns: nil when the text is no JSON.
    init?(_ text: String) {
        guard let value = try? JSONDecoder().decode(JSONValue.self, from: Data(text.utf8)) else { return nil }
        self = value
    }

    /// Reads a body, strictly.
    /// - Throws: 400 `malformed_json`.
    init(_ body: ByteBuffer) throws(Problem) {
        _ = try JSONDocument(body)
        guard let value = try? JSONDecoder().decode(JSONValue.self, from: Data(body.readableBytesView)) else {
            throw .invalid("", "holds a number out of range")
        }
        self = value
    }

    var members: [String: JSONValue]? {
        if case .object(let members) = self { members } else { nil }
    }

    /// The value after a merge patch (RFC 7396).
    func merged(with patch: JSONValue) -> JSONValue {
        guard case .object(let changes) = patch else { return patch }
        var result = members ?? [:]
        for (name, change) in changes {
            result[name] = change == .null ? nil : (result[name] ?? .null).merged(with: change)
        }
        return .object(result)
    }

    /// Without the members of a name, at any depth.
    func removing(_ name: String) -> JSONValue {
        switch self {
        case .object(let members): .object(members.filter { $0.key != name }.mapValues { $0.removing(name) })
        case .array(let items): .array(items.map { $0.removing(name) })
        case .null, .bool, .number, .string: self
        }
    }
}

extension JSONValue: Codable {
    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([String: JSONValue].self) {
            self = .object(value)
        } else if let value = try? container.decode([JSONValue].self) {
            self = .array(value)
        } else {
            let value = try container.decode(Decimal.self)
            guard value.isFinite else {
                throw DecodingError.dataCorruptedError(in: container, debugDescription: "must be a finite number")
            }
            self = .number(value)
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let value): try container.encode(value)
        case .number(let value): try container.encode(value)
        case .string(let value): try container.encode(value)
        case .array(let values): try container.encode(values)
        case .object(let members): try container.encode(members)
        }
    }
}

extension JSONWriter {
    /// A value under a key that is data.
    mutating func member(_ name: String, _ value: JSONValue) {
        key(name)
        self.value(value)
    }

    mutating func value(_ value: JSONValue) {
        switch value {
        case .null: null()
        case .bool(let flag): raw(json: ByteBuffer(string: flag ? "true" : "false"))
        case .number(let number): raw(json: ByteBuffer(string: number.description))
        case .string(let text): string(text)
        case .array(let items): array(items) { $0.value($1) }
        case .object(let members):
            object { json in
                for (name, value) in members.sorted(by: { $0.key < $1.key }) { json.member(name, value) }
            }
        }
    }

    /// The members of a record that is kept as a JSON object.
    mutating func members(ofRecord text: String) {
        for (name, value) in (JSONValue(text)?.members ?? [:]).sorted(by: { $0.key < $1.key }) { member(name, value) }
    }
}
