// JSON as a value, for a client that shows what the server says without knowing every field of it.

import Foundation

/// Any JSON value. Numbers keep their digits.
package enum JSONValue: Sendable, Hashable {
    case null
    case bool(Bool)
    case number(Decimal)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])
}

extension JSONValue: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Decimal.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([JSONValue].self) {
            self = .array(value)
        } else {
            self = .object(try container.decode([String: JSONValue].self))
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let value): try container.encode(value)
        case .number(let value): try container.encode(value)
        case .string(let value): try container.encode(value)
        case .array(let value): try container.encode(value)
        case .object(let value): try container.encode(value)
        }
    }
}

extension JSONValue {
    /// A member, or one further down: `live.remaining`. Nil when it is missing or null.
    package subscript(_ path: String) -> JSONValue? {
        var value = self
        for part in path.split(separator: ".") {
            guard case .object(let members) = value, let next = members[String(part)] else { return nil }
            value = next
        }
        return value == .null ? nil : value
    }

    package var items: [JSONValue] {
        if case .array(let items) = self { return items }
        return []
    }

    package var members: [String: JSONValue] {
        if case .object(let members) = self { return members }
        return [:]
    }

    package var string: String? {
        if case .string(let text) = self { return text }
        return nil
    }

    /// An id: YAML reads one of digits only as a number.
    var identifierText: String? {
        switch self {
        case .string(let text): text
        case .number(let value): "\(value)"
        case .null, .bool, .array, .object: nil
        }
    }

    package var boolean: Bool? {
        if case .bool(let value) = self { return value }
        return nil
    }

    /// For people: bare text and numbers, compact JSON for the rest.
    package var text: String {
        switch self {
        case .null: ""
        case .bool(let value): value ? "true" : "false"
        case .number(let value): "\(value)"
        case .string(let value): value
        case .array(let items) where items.allSatisfy(\.isScalar): items.map(\.text).joined(separator: ",")
        case .array, .object: compact
        }
    }

    /// One line of JSON with its keys in order.
    package var compact: String { encoded([.sortedKeys, .withoutEscapingSlashes]) }

    /// Indented JSON with its keys in order.
    package var pretty: String { encoded([.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]) }

    private func encoded(_ formatting: JSONEncoder.OutputFormatting) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = formatting
        // Every case can be encoded.
        return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "null"
    }

    private var isScalar: Bool {
        switch self {
        case .array, .object: false
        case .null, .bool, .number, .string: true
        }
    }
}

extension JSONValue: ExpressibleByStringLiteral {
    package init(stringLiteral value: String) { self = .string(value) }
}
