// What a server answers, as a Swift value that owns its bytes.

/// One RESP2 reply.
package enum RESPValue: Sendable, Hashable {
    case status(String)
    case error(String)
    case integer(Int64)
    case bulk([UInt8])
    case array([RESPValue])
    case null
}

extension RESPValue {
    /// The text of a status or of a bulk string that is valid UTF-8.
    package var string: String? {
        switch self {
        case .status(let text): text
        case .bulk(let bytes): String(validating: bytes, as: UTF8.self)
        case .error, .integer, .array, .null: nil
        }
    }

    /// An integer reply, or a string that is a decimal integer: scripts return big amounts as strings.
    package var int: Int64? {
        if case .integer(let value) = self { return value }
        return string.flatMap { Int64($0) }
    }

    /// The elements of an array reply.
    package var array: [RESPValue]? {
        if case .array(let elements) = self { return elements }
        return nil
    }

    /// Whether the server answered nil.
    package var isNull: Bool { self == .null }
}
