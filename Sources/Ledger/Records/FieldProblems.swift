// Users are told everything that is wrong with a body at once, each with the place where it stands.

import QuotaCore

/// What is wrong with a record: JSON pointers (RFC 6901) and what the value there must be.
struct FieldProblems {
    static let maximumRecordBytes = 65_536

    private(set) var list: [(pointer: String, detail: String)] = []

    mutating func add(_ pointer: String, _ detail: String) { list.append((pointer, detail)) }

    /// An amount that is not negative, in book units; nil when it was left out or is wrong.
    @discardableResult
    mutating func amount(_ amount: DecimalText?, unit: BudgetUnit, at pointer: String) -> Int64? {
        guard let amount else { return nil }
        do {
            return try Amount.parse(amount.text, unit: unit)
        } catch {
            add(pointer, error.message)
            return nil
        }
    }

    /// Text that people read: not empty, one line, no control characters.
    mutating func text(_ text: String?, at pointer: String, maximumBytes: Int, mayBeEmpty: Bool = false) {
        guard let text else { return }
        if !mayBeEmpty, text.utf8.allSatisfy({ $0 == UInt8(ascii: " ") }) {
            add(pointer, "must not be empty")
        } else if text.utf8.count > maximumBytes {
            add(pointer, "must be at most \(maximumBytes) bytes long")
        } else if text.unicodeScalars.contains(where: Self.breaksLines) {
            add(pointer, "must not contain control characters or line breaks")
        }
    }

    private static func breaksLines(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }

    mutating func identifier(_ text: String?, at pointer: String) {
        guard let text, !Identifier.isValid(text) else { return }
        add(pointer, "must match [a-z0-9][a-z0-9._-]{0,62}")
    }

    /// - Returns: whether the number of elements is within the limit: a list beyond it is not looked at.
    mutating func count(_ count: Int, at pointer: String, maximum: Int) -> Bool {
        if count > maximum { add(pointer, "must have at most \(maximum) entries") }
        return count <= maximum
    }

    mutating func range(_ value: Int64?, _ range: ClosedRange<Int64>, at pointer: String) {
        guard let value, !range.contains(value) else { return }
        add(pointer, "must be between \(range.lowerBound) and \(range.upperBound)")
    }

    /// What the books take of one record, in bytes of JSON. Single limits add up to more, so this is asked last.
    mutating func size(_ record: some Encodable) {
        guard list.isEmpty, let json = try? RecordCoding.json(record), json.utf8.count > Self.maximumRecordBytes else {
            return
        }
        add("", "must be at most \(Self.maximumRecordBytes) bytes long as JSON")
    }

    /// A key as a segment of a pointer.
    static func escape(_ key: String) -> String {
        key.unicodeScalars.reduce(into: "") { escaped, scalar in
            switch scalar {
            case "~": escaped += "~0"
            case "/": escaped += "~1"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
    }
}
