// Query parameters, read by name and checked like body fields: unknown, repeated and malformed ones are refused.

/// The parameters of one request. `finish` throws everything that is wrong with them.
package struct Query {
    private var entries: [(name: String, value: String)] = []
    private var errors: [Problem.FieldError] = []
    private var read: Set<String> = []

    /// - Throws: 400 for a query that is not valid percent-encoded UTF-8.
    package init(_ text: Substring?) throws(Problem) {
        guard let text, !text.isEmpty else { return }
        for part in text.split(separator: "&") {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = PercentEncoding.decode(pair[0], plusIsSpace: true),
                let value = PercentEncoding.decode(pair.count > 1 ? pair[1] : "", plusIsSpace: true)
            else { throw .badRequest("The query is not valid percent-encoded UTF-8.") }
            entries.append((name, value))
        }
    }

    package mutating func fail(_ name: String, _ detail: String) {
        errors.append(.init(pointer: "?\(name)", detail: detail))
    }

    /// A text of 1 to `maxBytes` bytes.
    package mutating func string(_ name: String, maxBytes: Int = 256) -> String? {
        read.insert(name)
        let values = entries.filter { $0.name == name }
        guard let value = values.first?.value else { return nil }
        if values.count > 1 {
            fail(name, "is given more than once")
            return nil
        }
        guard (1...maxBytes).contains(value.utf8.count) else {
            fail(name, "must have 1 to \(maxBytes) bytes")
            return nil
        }
        return value
    }

    package mutating func integer(_ name: String, in range: ClosedRange<Int64>) -> Int64? {
        guard let text = string(name) else { return nil }
        guard text.utf8.allSatisfy({ $0 &- UInt8(ascii: "0") < 10 || $0 == UInt8(ascii: "-") }),
            let value = Int64(text),
            range.contains(value)
        else {
            fail(name, "must be an integer between \(range.lowerBound) and \(range.upperBound)")
            return nil
        }
        return value
    }

    package mutating func bool(_ name: String) -> Bool? {
        switch string(name) {
        case nil: return nil
        case "true", "1": return true
        case "false", "0": return false
        default:
            fail(name, "must be true or false")
            return nil
        }
    }

    package mutating func choice<Word: RawRepresentable & CaseIterable>(
        _ name: String, _ type: Word.Type = Word.self
    ) -> Word? where Word.RawValue == String {
        guard let text = string(name) else { return nil }
        if let word = Word(rawValue: text) { return word }
        fail(name, "must be one of " + Word.allCases.map(\.rawValue).joined(separator: ", "))
        return nil
    }

    /// An RFC 3339 time or a date (its start in UTC), as ms since 1970.
    package mutating func time(_ name: String) -> Int64? {
        guard let text = string(name) else { return nil }
        if let value = RFC3339.parse(text) ?? RFC3339.parse(text + "T00:00:00Z") { return value }
        fail(name, "must be an RFC 3339 time or a date")
        return nil
    }

    /// - Throws: 422 naming each wrong or unknown parameter as `?name`.
    package mutating func finish() throws(Problem) {
        for entry in entries where read.insert(entry.name).inserted { fail(entry.name, "is not a known parameter") }
        if !errors.isEmpty { throw .validation(errors) }
    }
}

/// Percent-decoding that refuses what is malformed.
package enum PercentEncoding {
    package static func decode(_ text: Substring, plusIsSpace: Bool = false) -> String? {
        let coded = text.utf8.contains { $0 == UInt8(ascii: "%") || (plusIsSpace && $0 == UInt8(ascii: "+")) }
        guard coded else { return String(text) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        var rest = Substring(text).utf8
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%") {
                guard let high = rest.popFirst().flatMap(JSONEscapes.digit),
                    let low = rest.popFirst().flatMap(JSONEscapes.digit)
                else { return nil }
                bytes.append(high << 4 | low)
            } else {
                bytes.append(plusIsSpace && byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
