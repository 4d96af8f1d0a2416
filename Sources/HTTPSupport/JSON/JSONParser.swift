// The scanner behind JSONDocument: one pass over the bytes, failing at the first that breaks the grammar.

struct JSONParser {
    struct Failure: Error {
        var reason: String
        var offset: Int
    }

    /// Objects up to this size are checked for duplicate keys pairwise, larger ones through a set.
    static let pairwiseKeys = 16

    var nodes: [JSONDocument.Node] = []
    private var position = 0

    /// - Returns: what is wrong, or nil when the text is well formed.
    mutating func parse(_ bytes: UnsafeRawBufferPointer) -> Failure? {
        do throws(Failure) {
            if bytes.contains(where: { $0 >= 0x80 }), String(validating: bytes, as: UTF8.self) == nil {
                throw Failure(reason: "the text is not UTF-8", offset: 0)
            }
            nodes.reserveCapacity(min(64, bytes.count / 4 + 1))
            skipSpace(bytes)
            try value(bytes, depth: 0)
            skipSpace(bytes)
            if position < bytes.count { throw fail("text after the value") }
            return nil
        } catch {
            return error
        }
    }

    private func fail(_ reason: String) -> Failure { Failure(reason: reason, offset: position) }

    private mutating func skipSpace(_ bytes: UnsafeRawBufferPointer) {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x0A, 0x0D, 0x09: position += 1
            default: return
            }
        }
    }

    private mutating func value(_ bytes: UnsafeRawBufferPointer, depth: Int) throws(Failure) {
        guard position < bytes.count else { throw fail("a value is missing") }
        guard depth < JSONDocument.maximumDepth else { throw fail("nested too deeply") }
        switch bytes[position] {
        case UInt8(ascii: "{"): try object(bytes, depth: depth)
        case UInt8(ascii: "["): try array(bytes, depth: depth)
        case UInt8(ascii: "\""): try string(bytes)
        case UInt8(ascii: "t"): try word(bytes, "true", .yes)
        case UInt8(ascii: "f"): try word(bytes, "false", .no)
        case UInt8(ascii: "n"): try word(bytes, "null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): try number(bytes)
        default: throw fail("not a JSON value")
        }
    }

    private mutating func open(_ kind: JSONDocument.Kind) -> Int {
        let at = UInt32(position)
        nodes.append(.init(kind: kind, escaped: false, start: at, end: at, next: 0))
        position += 1
        return nodes.count - 1
    }

    private mutating func close(_ index: Int) {
        position += 1
        nodes[index].end = UInt32(position)
        nodes[index].next = UInt32(nodes.count)
    }

    private mutating func object(_ bytes: UnsafeRawBufferPointer, depth: Int) throws(Failure) {
        let index = open(.object)
        skipSpace(bytes)
        var members = 0
        if position < bytes.count, bytes[position] == UInt8(ascii: "}") { return close(index) }
        while true {
            skipSpace(bytes)
            guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else { throw fail("a key is missing") }
            try string(bytes)
            skipSpace(bytes)
            guard position < bytes.count, bytes[position] == UInt8(ascii: ":") else { throw fail("':' is missing") }
            position += 1
            skipSpace(bytes)
            try value(bytes, depth: depth + 1)
            members += 1
            skipSpace(bytes)
            guard position < bytes.count else { throw fail("the object does not end") }
            if bytes[position] == UInt8(ascii: "}") { break }
            guard bytes[position] == UInt8(ascii: ",") else { throw fail("',' or '}' is missing") }
            position += 1
        }
        close(index)
        try checkKeys(bytes, of: index, members: members)
    }

    private mutating func array(_ bytes: UnsafeRawBufferPointer, depth: Int) throws(Failure) {
        let index = open(.array)
        skipSpace(bytes)
        if position < bytes.count, bytes[position] == UInt8(ascii: "]") { return close(index) }
        while true {
            skipSpace(bytes)
            try value(bytes, depth: depth + 1)
            skipSpace(bytes)
            guard position < bytes.count else { throw fail("the array does not end") }
            if bytes[position] == UInt8(ascii: "]") { break }
            guard bytes[position] == UInt8(ascii: ",") else { throw fail("',' or ']' is missing") }
            position += 1
        }
        close(index)
    }

    private mutating func word(
        _ bytes: UnsafeRawBufferPointer, _ word: StaticString, _ kind: JSONDocument.Kind
    ) throws(Failure) {
        let length = word.utf8CodeUnitCount
        guard position + length <= bytes.count,
            bytes[position..<position + length].elementsEqual(
                UnsafeRawBufferPointer(start: word.utf8Start, count: length))
        else { throw fail("not a JSON value") }
        append(kind, from: position, to: position + length)
        position += length
    }

    private mutating func append(_ kind: JSONDocument.Kind, escaped: Bool = false, from start: Int, to end: Int) {
        nodes.append(
            .init(
                kind: kind, escaped: escaped, start: UInt32(start), end: UInt32(end), next: UInt32(nodes.count + 1)))
    }

    private mutating func number(_ bytes: UnsafeRawBufferPointer) throws(Failure) {
        let start = position
        if bytes[position] == UInt8(ascii: "-") { position += 1 }
        let first = position
        guard digits(bytes) > 0 else { throw fail("a digit is missing") }
        if bytes[first] == UInt8(ascii: "0"), position - first > 1 { throw fail("a number begins with 0") }
        if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
            position += 1
            guard digits(bytes) > 0 else { throw fail("a digit is missing") }
        }
        if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
            position += 1
            if position < bytes.count, bytes[position] == UInt8(ascii: "+") || bytes[position] == UInt8(ascii: "-") {
                position += 1
            }
            guard digits(bytes) > 0 else { throw fail("a digit is missing") }
        }
        append(.number, from: start, to: position)
    }

    private mutating func digits(_ bytes: UnsafeRawBufferPointer) -> Int {
        let start = position
        while position < bytes.count, bytes[position] &- UInt8(ascii: "0") < 10 { position += 1 }
        return position - start
    }

    private mutating func string(_ bytes: UnsafeRawBufferPointer) throws(Failure) {
        position += 1
        let start = position
        var escaped = false
        while position < bytes.count {
            let byte = bytes[position]
            switch byte {
            case UInt8(ascii: "\""):
                append(.string, escaped: escaped, from: start, to: position)
                position += 1
                return
            case UInt8(ascii: "\\"):
                escaped = true
                try escape(bytes)
            case 0..<0x20: throw fail("a control character in a string")
            default: position += 1
            }
        }
        throw fail("the string does not end")
    }

    private mutating func escape(_ bytes: UnsafeRawBufferPointer) throws(Failure) {
        guard position + 1 < bytes.count else { throw fail("the string does not end") }
        switch bytes[position + 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            position += 2
        case UInt8(ascii: "u"):
            let unit = try unicode(bytes)
            if unit & 0xFC00 == 0xDC00 { throw fail("a lone surrogate") }
            if unit & 0xFC00 == 0xD800 {
                guard position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
                    bytes[position + 1] == UInt8(ascii: "u"), try unicode(bytes) & 0xFC00 == 0xDC00
                else { throw fail("a lone surrogate") }
            }
        default: throw fail("an unknown escape")
        }
    }

    private mutating func unicode(_ bytes: UnsafeRawBufferPointer) throws(Failure) -> UInt32 {
        guard position + 6 <= bytes.count,
            bytes[position + 2..<position + 6].allSatisfy({ JSONEscapes.digit($0) != nil })
        else { throw fail("four hexadecimal digits are missing") }
        let value = JSONEscapes.hex(bytes, at: position + 2)
        position += 6
        return value
    }

    /// A duplicate key is refused: readers disagree on which one counts.
    private func checkKeys(_ bytes: UnsafeRawBufferPointer, of object: Int, members: Int) throws(Failure) {
        guard members > 1 else { return }
        var keys: [Int] = []
        keys.reserveCapacity(members)
        var index = object + 1
        while index < Int(nodes[object].next) {
            keys.append(index)
            index = Int(nodes[index + 1].next)
        }
        if members > Self.pairwiseKeys || keys.contains(where: { nodes[$0].escaped }) {
            var seen = Set<String>(minimumCapacity: members)
            for key in keys where !seen.insert(text(bytes, key)).inserted { throw duplicate(key) }
            return
        }
        for (order, key) in keys.enumerated() {
            for other in keys[..<order] where slice(bytes, key).elementsEqual(slice(bytes, other)) {
                throw duplicate(key)
            }
        }
    }

    private func duplicate(_ key: Int) -> Failure {
        Failure(reason: "a duplicate key", offset: Int(nodes[key].start))
    }

    private func slice(_ bytes: UnsafeRawBufferPointer, _ node: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: bytes[Int(nodes[node].start)..<Int(nodes[node].end)])
    }

    private func text(_ bytes: UnsafeRawBufferPointer, _ node: Int) -> String {
        nodes[node].escaped
            ? JSONEscapes.decode(slice(bytes, node)) : String(decoding: slice(bytes, node), as: UTF8.self)
    }
}
