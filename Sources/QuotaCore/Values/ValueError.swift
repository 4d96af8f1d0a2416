// One error for every value that a user may write wrongly, so that each border can show it in its own form.

/// A value was refused. The text is what the user sees, so it says what the value must be.
package struct ValueError: Error, Sendable, Equatable {
    /// What the value must be, such as "must be a decimal number with at most 6 places"; never the value itself.
    package let message: String
    /// Where in the body the value stands, a JSON pointer (RFC 6901) without its first slash ("prices/3/input"); nil when
    /// the caller knows.
    package let field: String?

    package init(message: String, field: String? = nil) {
        self.message = message
        self.field = field
    }

    /// The same refusal, one level further up in the body.
    ///
    /// - Parameter parent: a single key, not yet escaped.
    package func within(_ parent: String) -> ValueError {
        let segment = Self.escape(parent)
        return ValueError(message: message, field: field.map { "\(segment)/\($0)" } ?? segment)
    }

    /// The segments of the field, no longer escaped.
    var segments: [String] {
        (field ?? "").split(separator: "/").map { segment in
            segment.split(separator: "~1", omittingEmptySubsequences: false)
                .map { $0.split(separator: "~0", omittingEmptySubsequences: false).joined(separator: "~") }
                .joined(separator: "/")
        }
    }

    /// Keys may hold slashes themselves, as the names of models do.
    private static func escape(_ key: String) -> String {
        var escaped = ""
        for character in key.unicodeScalars {
            switch character {
            case "~": escaped += "~0"
            case "/": escaped += "~1"
            default: escaped.unicodeScalars.append(character)
            }
        }
        return escaped
    }
}

extension ValueError: CustomStringConvertible {
    package var description: String { field.map { "\($0) \(message)" } ?? message }
}
