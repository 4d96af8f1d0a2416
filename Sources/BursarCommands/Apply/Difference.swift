// What a file asks for against what is there. Fields that the file leaves out are left as they are; null takes one away.

import Foundation

/// One changed field.
struct FieldChange: Sendable, Hashable {
    /// Dotted, such as `period.every`.
    var field: String
    var before: JSONValue
    var after: JSONValue
}

enum Difference {
    /// The fields of `wanted` that `current` does not have so.
    static func between(_ current: JSONValue, _ wanted: JSONValue, at prefix: String = "") -> [FieldChange] {
        wanted.members.sorted { $0.key < $1.key }.flatMap { key, value -> [FieldChange] in
            let before = current.members[key] ?? .null
            let field = prefix + key
            if case .object(let inner) = value, case .object = before, !inner.isEmpty {
                return between(before, value, at: field + ".")
            }
            return covers(before, value) ? [] : [FieldChange(field: field, before: before, after: value)]
        }
    }

    /// Whether a value says all that is wanted. Amounts are equal as numbers: 5000, "5000" and "5000.00"; a server may
    /// fill in defaults in the elements of a list.
    static func covers(_ current: JSONValue, _ wanted: JSONValue) -> Bool {
        switch (current, wanted) {
        case (.array(let have), .array(let want)):
            return have.count == want.count && zip(have, want).allSatisfy { covers($0, $1) }
        case (.object(let have), .object(let want)):
            return want.allSatisfy { covers(have[$0.key] ?? .null, $0.value) }
        case (.null, .object(let want)): return want.isEmpty
        case (.null, .array(let want)): return want.isEmpty
        default:
            if current == wanted { return true }
            guard let a = decimal(current), let b = decimal(wanted) else { return false }
            return a == b
        }
    }

    private static func decimal(_ value: JSONValue) -> Decimal? {
        switch value {
        case .number(let number): return number
        case .string(let text):
            guard text.wholeMatch(of: /[+-]?[0-9]+(\.[0-9]+)?/) != nil else { return nil }
            return Decimal(string: text)
        case .null, .bool, .array, .object: return nil
        }
    }
}
