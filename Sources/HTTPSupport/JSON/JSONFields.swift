// Reads the fields of a JSON object by name and type, and reports everything that is wrong with them in one answer.

import NIOCore

/// What is wrong with a body: collected while it is read, thrown once.
final class FieldErrors {
    /// More are not reported; the first tell enough.
    static let maximum = 32
    private(set) var entries: [Problem.FieldError] = []

    func add(_ pointer: String, _ detail: String) {
        if entries.count < Self.maximum { entries.append(.init(pointer: pointer, detail: detail)) }
    }
}

/// The fields of one object. Each field is asked for by name; a field nobody asked for is an error, and so is one of the
/// wrong type. Where a field is optional, `null` counts as left out; `isNull` tells the two apart.
///
/// Readers return nil after recording an error, so that one pass finds all; `decode` throws at its end.
package struct JSONFields {
    let document: JSONDocument
    let object: Int
    let pointer: String
    let errors: FieldErrors
    private var consumed: UInt64 = 0

    /// Reads a body that must be an object.
    /// - Throws: 400 `malformed_json`; 422 `validation_failed` naming each wrong field by JSON pointer.
    package static func decode<Value>(
        _ body: ByteBuffer, _ read: (inout JSONFields) throws(Problem) -> Value
    ) throws(Problem) -> Value {
        let document = try JSONDocument(body)
        let errors = FieldErrors()
        guard document.nodes[0].kind == .object else {
            throw .validation([.init(pointer: "", detail: "must be an object")])
        }
        var fields = JSONFields(document: document, object: 0, pointer: "", errors: errors)
        let value = try read(&fields)
        fields.refuseUnknown()
        if !errors.entries.isEmpty { throw .validation(errors.entries) }
        return value
    }

    init(document: JSONDocument, object: Int, pointer: String, errors: FieldErrors) {
        self.document = document
        self.object = object
        self.pointer = pointer
        self.errors = errors
    }

    /// Records that a field is wrong.
    package func fail(_ name: String, _ detail: String) { errors.add(pointer(to: name), detail) }

    /// Records that the object as a whole is wrong.
    package func fail(_ detail: String) { errors.add(pointer, detail) }

    /// True when nothing has been found wrong so far, here or elsewhere in the body.
    package var isValid: Bool { errors.entries.isEmpty }

    func pointer(to name: String) -> String {
        var escaped = name
        if name.utf8.contains(where: { $0 == UInt8(ascii: "~") || $0 == UInt8(ascii: "/") }) {
            escaped = name.split(separator: "~", omittingEmptySubsequences: false).joined(separator: "~0")
                .split(separator: "/", omittingEmptySubsequences: false).joined(separator: "~1")
        }
        return "\(pointer)/\(escaped)"
    }

    // MARK: Members

    /// The value node of a field, marked as read. A `null` is not returned.
    mutating func find(_ name: StaticString) -> Int? {
        guard let node = locate(name) else { return nil }
        return document.nodes[node].kind == .null ? nil : node
    }

    private mutating func locate(_ name: StaticString) -> Int? {
        var index = object + 1
        var member: UInt64 = 0
        let end = Int(document.nodes[object].next)
        while index < end {
            if document.key(index, is: name) {
                if member < 64 { consumed |= 1 << member }
                return index + 1
            }
            index = Int(document.nodes[index + 1].next)
            member += 1
        }
        return nil
    }

    /// Whether the field stands there, also as `null`. Marks it as read.
    package mutating func has(_ name: StaticString) -> Bool { locate(name) != nil }

    /// Whether the field stands there as `null`. Marks it as read.
    package mutating func isNull(_ name: StaticString) -> Bool {
        locate(name).map { document.nodes[$0].kind == .null } ?? false
    }

    /// Whether no member has a value.
    package var isEmpty: Bool { members.allSatisfy { document.nodes[$0.value].kind == .null } }

    /// Marks every field as read: what is unknown passes.
    package mutating func ignoreOthers() { consumed = .max }

    /// Names of all members, in order.
    package var names: [String] { members.map { document.text(of: $0.key) } }

    var members: [(key: Int, value: Int)] {
        var result: [(key: Int, value: Int)] = []
        var index = object + 1
        while index < Int(document.nodes[object].next) {
            result.append((index, index + 1))
            index = Int(document.nodes[index + 1].next)
        }
        return result
    }

    /// Records every member that was not asked for.
    func refuseUnknown() {
        var index = object + 1
        var member: UInt64 = 0
        while index < Int(document.nodes[object].next) {
            let isRead = consumed == .max || (member < 64 && consumed & (1 << member) != 0)
            if !isRead {
                fail(document.text(of: index), "is not a known field")
            }
            index = Int(document.nodes[index + 1].next)
            member += 1
        }
    }
}
