// The typed readers of JSONFields.

extension JSONFields {
    /// A string of `minBytes...maxBytes` bytes of UTF-8.
    package mutating func string(_ name: StaticString, minBytes: Int = 1, maxBytes: Int = 256) -> String? {
        guard let node = find(name) else { return nil }
        return string(at: node, pointer: pointer(to: "\(name)"), minBytes: minBytes, maxBytes: maxBytes)
    }

    /// As `string`, but must be there. An empty string is returned after an error.
    package mutating func requiredString(_ name: StaticString, minBytes: Int = 1, maxBytes: Int = 256) -> String {
        require(name)
        return string(name, minBytes: minBytes, maxBytes: maxBytes) ?? ""
    }

    /// An integer without fraction or exponent (`1.0` passes).
    package mutating func integer(_ name: StaticString, in range: ClosedRange<Int64>) -> Int64? {
        guard let node = find(name) else { return nil }
        guard document.nodes[node].kind == .number,
            let value = document.withBytes(of: node, { ExactDecimal.parse($0, places: 0) })
        else {
            fail("\(name)", "must be an integer")
            return nil
        }
        guard range.contains(value) else {
            fail("\(name)", "must be between \(range.lowerBound) and \(range.upperBound)")
            return nil
        }
        return value
    }

    /// A decimal, as a string or a number, times 10^places.
    package mutating func decimal(
        _ name: StaticString, places: Int, in range: ClosedRange<Int64> = 0...Int64.max
    ) -> Int64? {
        guard let node = find(name) else { return nil }
        let kind = document.nodes[node].kind
        guard kind == .number || (kind == .string && !document.nodes[node].escaped),
            let value = document.withBytes(of: node, { ExactDecimal.parse($0, places: places) })
        else {
            fail("\(name)", "must be a decimal with at most \(places) places")
            return nil
        }
        guard range.contains(value) else {
            fail("\(name)", range.lowerBound == 0 && value < 0 ? "must not be negative" : "is out of range")
            return nil
        }
        return value
    }

    package mutating func bool(_ name: StaticString) -> Bool? {
        guard let node = find(name) else { return nil }
        switch document.nodes[node].kind {
        case .yes: return true
        case .no: return false
        default:
            fail("\(name)", "must be true or false")
            return nil
        }
    }

    /// A finite number as a Double, for fractions such as ladder steps; never for amounts.
    package mutating func double(_ name: StaticString, in range: ClosedRange<Double>) -> Double? {
        guard let node = find(name) else { return nil }
        guard document.nodes[node].kind == .number, let value = Double(document.text(of: node)), value.isFinite else {
            fail("\(name)", "must be a number")
            return nil
        }
        guard range.contains(value) else {
            fail("\(name)", "must be between \(range.lowerBound) and \(range.upperBound)")
            return nil
        }
        return value
    }

    /// The text of a string or a number as it stands, for amounts whose unit is known later.
    package mutating func text(_ name: StaticString, maxBytes: Int = 64) -> String? {
        guard let node = find(name) else { return nil }
        let kind = document.nodes[node].kind
        guard kind == .number || kind == .string else {
            fail("\(name)", "must be a string or a number")
            return nil
        }
        let value = document.text(of: node)
        guard (1...maxBytes).contains(value.utf8.count) else {
            fail("\(name)", "must have 1 to \(maxBytes) bytes")
            return nil
        }
        return value
    }

    /// One of the words of an enumeration.
    package mutating func choice<Word: RawRepresentable & CaseIterable>(
        _ name: StaticString, _ type: Word.Type = Word.self
    ) -> Word? where Word.RawValue == String {
        guard let node = find(name) else { return nil }
        if document.nodes[node].kind == .string, let word = Word(rawValue: document.text(of: node)) { return word }
        fail("\(name)", "must be one of " + Word.allCases.map(\.rawValue).joined(separator: ", "))
        return nil
    }

    /// An RFC 3339 time, as ms since 1970.
    package mutating func time(_ name: StaticString) -> Int64? {
        guard let node = find(name) else { return nil }
        if document.nodes[node].kind == .string, let value = RFC3339.parse(document.text(of: node)) { return value }
        fail("\(name)", "must be an RFC 3339 time")
        return nil
    }

    /// Records an error when the field is missing or null.
    package mutating func require(_ name: StaticString) {
        if find(name) == nil { fail("\(name)", "is required") }
    }

    // MARK: Nested values

    /// A nested object. With `strict` its unknown fields are errors; without they are ignored.
    package mutating func object<Value>(
        _ name: StaticString, strict: Bool = true, _ read: (inout JSONFields) throws(Problem) -> Value
    ) throws(Problem) -> Value? {
        guard let node = find(name) else { return nil }
        return try object(at: node, pointer: pointer(to: "\(name)"), strict: strict, read)
    }

    /// An array of objects.
    package mutating func objects<Value>(
        _ name: StaticString, maximum: Int, _ read: (inout JSONFields) throws(Problem) -> Value
    ) throws(Problem) -> [Value]? {
        guard let nodes = elements(name, maximum: maximum) else { return nil }
        var values: [Value] = []
        values.reserveCapacity(nodes.count)
        for (position, node) in nodes.enumerated() {
            let value = try object(at: node, pointer: pointer(to: "\(name)") + "/\(position)", strict: true, read)
            if let value { values.append(value) }
        }
        return values
    }

    /// An array of strings.
    package mutating func strings(_ name: StaticString, maximum: Int, maxBytes: Int = 256) -> [String]? {
        guard let nodes = elements(name, maximum: maximum) else { return nil }
        return nodes.enumerated().compactMap { position, node in
            string(at: node, pointer: pointer(to: "\(name)") + "/\(position)", minBytes: 1, maxBytes: maxBytes)
        }
    }

    /// An object whose values are strings, such as tags.
    package mutating func map(_ name: StaticString, maximum: Int, maxBytes: Int = 256) -> [String: String]? {
        guard let node = find(name) else { return nil }
        let pointer = pointer(to: "\(name)")
        guard document.nodes[node].kind == .object else {
            errors.add(pointer, "must be an object")
            return nil
        }
        let inner = JSONFields(document: document, object: node, pointer: pointer, errors: errors)
        let members = inner.members
        guard members.count <= maximum else {
            errors.add(pointer, "must have at most \(maximum) entries")
            return nil
        }
        var result = [String: String](minimumCapacity: members.count)
        for (key, value) in members {
            let word = document.text(of: key)
            guard (1...maxBytes).contains(word.utf8.count) else {
                inner.fail(word, "must have a key of 1 to \(maxBytes) bytes")
                continue
            }
            result[word] = string(at: value, pointer: inner.pointer(to: word), minBytes: 0, maxBytes: maxBytes)
        }
        return result
    }

    /// An object whose values are objects, such as budgets by name; keys in order of appearance.
    package mutating func objectMap<Value>(
        _ name: StaticString, maximum: Int, _ read: (String, inout JSONFields) throws(Problem) -> Value
    ) throws(Problem) -> [(key: String, value: Value)]? {
        guard let node = find(name) else { return nil }
        let pointer = pointer(to: "\(name)")
        guard document.nodes[node].kind == .object else {
            errors.add(pointer, "must be an object")
            return nil
        }
        let inner = JSONFields(document: document, object: node, pointer: pointer, errors: errors)
        let members = inner.members
        guard members.count <= maximum else {
            errors.add(pointer, "must have at most \(maximum) entries")
            return nil
        }
        var result: [(key: String, value: Value)] = []
        for (key, value) in members {
            let word = document.text(of: key)
            let made = try object(at: value, pointer: inner.pointer(to: word), strict: true) {
                (fields: inout JSONFields) throws(Problem) in try read(word, &fields)
            }
            if let made { result.append((word, made)) }
        }
        return result
    }

    // MARK: Nodes

    private mutating func elements(_ name: StaticString, maximum: Int) -> [Int]? {
        guard let array = find(name) else { return nil }
        guard document.nodes[array].kind == .array else {
            fail("\(name)", "must be an array")
            return nil
        }
        var nodes: [Int] = []
        var index = array + 1
        while index < Int(document.nodes[array].next) {
            nodes.append(index)
            index = Int(document.nodes[index].next)
        }
        guard nodes.count <= maximum else {
            fail("\(name)", "must have at most \(maximum) items")
            return nil
        }
        return nodes
    }

    private func object<Value>(
        at node: Int, pointer: String, strict: Bool, _ read: (inout JSONFields) throws(Problem) -> Value
    ) throws(Problem) -> Value? {
        guard document.nodes[node].kind == .object else {
            errors.add(pointer, "must be an object")
            return nil
        }
        var fields = JSONFields(document: document, object: node, pointer: pointer, errors: errors)
        let value = try read(&fields)
        if strict { fields.refuseUnknown() }
        return value
    }

    private func string(at node: Int, pointer: @autoclosure () -> String, minBytes: Int, maxBytes: Int) -> String? {
        guard document.nodes[node].kind == .string else {
            errors.add(pointer(), "must be a string")
            return nil
        }
        let value = document.text(of: node)
        guard (minBytes...maxBytes).contains(value.utf8.count) else {
            errors.add(pointer(), "must have \(minBytes) to \(maxBytes) bytes")
            return nil
        }
        return value
    }
}
