// From a body to a record: strict about fields, and every refusal names its place by a JSON pointer.

import Foundation
import HTTPSupport
import Ledger
import NIOCore
import QuotaCore

/// Which fields a body may have, so that a misspelt one is an error and not a rule that does not apply.
indirect enum Shape: Sendable {
    /// Checked elsewhere.
    case any
    case fields([String: Shape])
    case list(Shape)

    static func keys(_ names: [String], _ nested: [String: Shape] = [:]) -> Shape {
        var fields: [String: Shape] = [:]
        for name in names { fields[name] = nested[name] ?? .any }
        return .fields(fields)
    }

    static let account = Shape.keys(
        AccountRecord.knownKeys,
        ["heads": .list(.keys(AccountHead.knownKeys)), "models": .keys(ModelRule.knownKeys)])

    /// The fields of `period` are checked by the rule itself.
    static let budget = Shape.keys(
        BudgetRecord.knownKeys,
        [
            "rollover": .keys(RolloverRecord.knownKeys), "next": .keys(NextAmountRecord.knownKeys),
            "policy": .list(.keys(PolicyStep.knownKeys)), "outage": .keys(OutageRecord.knownKeys),
            "on_request": .keys(OnRequestRecord.knownKeys),
        ])

    /// The pointers of unknown fields, in order.
    func unknown(in value: JSONValue, at pointer: String = "") -> [String] {
        switch (self, value) {
        case (.fields(let fields), .object(let members)):
            members.sorted { $0.key < $1.key }.flatMap { name, value in
                let place = pointer + "/" + Pointer.escape(name)
                return fields[name].map { $0.unknown(in: value, at: place) } ?? [place]
            }
        case (.list(let shape), .array(let items)):
            items.enumerated().flatMap { shape.unknown(in: $1, at: "\(pointer)/\($0)") }
        default: []
        }
    }
}

enum RecordBody {
    /// Reads a record.
    ///
    /// - Parameter readOnly: top-level fields that answers have and bodies may repeat; they are passed over.
    /// - Throws: 422 naming the field.
    static func decode<Record: Decodable>(
        _ type: Record.Type, _ value: JSONValue, shape: Shape, readOnly: Set<String> = []
    ) throws(Problem) -> Record {
        guard let members = value.members else { throw .invalid("", "must be an object") }
        let body = JSONValue.object(members.filter { !readOnly.contains($0.key) })
        let unknown = shape.unknown(in: body)
        guard unknown.isEmpty else {
            throw .validation(unknown.prefix(32).map { .init(pointer: $0, detail: "is not a known field") })
        }
        do {
            return try JSONDecoder().decode(type, from: try JSONEncoder().encode(body))
        } catch let error as DecodingError {
            throw refusal(error)
        } catch {
            throw .invalid("", "is not valid")
        }
    }

    /// - Throws: 422 naming all that `validate()` of a record found.
    static func check(_ problems: [(pointer: String, detail: String)]) throws(Problem) {
        guard !problems.isEmpty else { return }
        throw .validation(problems.prefix(32).map { .init(pointer: $0.pointer, detail: $0.detail) })
    }

    static func refusal(_ error: DecodingError) -> Problem {
        switch error {
        case .keyNotFound(let key, let context):
            .invalid(Pointer.of(context.codingPath + [key]), "is required")
        case .valueNotFound(_, let context): .invalid(Pointer.of(context.codingPath), "must not be null")
        case .typeMismatch(let type, let context):
            .invalid(Pointer.of(context.codingPath), own(context) ?? word(for: type))
        case .dataCorrupted(let context):
            .invalid(Pointer.of(context.codingPath), own(context) ?? "is not valid")
        @unknown default: .invalid("", "is not valid")
        }
    }

    /// A text that one of our own decoders wrote for users; those of the library speak of Swift's types.
    private static func own(_ context: DecodingError.Context) -> String? {
        if let error = context.underlyingError as? ValueError { return error.message }
        return context.debugDescription.hasPrefix("must ") ? context.debugDescription : nil
    }

    private static func word(for type: any Any.Type) -> String {
        switch type {
        case is String.Type: "must be a string"
        case is Bool.Type: "must be true or false"
        case is Int64.Type, is Int.Type: "must be an integer"
        case is Decimal.Type: "must be a number"
        case is [String: Any].Type: "must be an object"
        case is [Any].Type: "must be an array"
        default: "has the wrong type"
        }
    }
}

/// JSON pointers (RFC 6901).
enum Pointer {
    static func of(_ path: [any CodingKey]) -> String {
        path.map { "/" + escape($0.intValue.map(String.init) ?? $0.stringValue) }.joined()
    }

    static func escape(_ name: String) -> String {
        var text = ""
        for scalar in name.unicodeScalars {
            switch scalar {
            case "~": text += "~0"
            case "/": text += "~1"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}
