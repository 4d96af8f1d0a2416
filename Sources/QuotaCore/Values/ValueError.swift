// One error for every value that a user may write wrongly, so that each border can show it in its own form.

/// A value was refused. The text is what the user sees, so it says what the value must be.
package struct ValueError: Error, Sendable, Equatable {
    /// What the value must be, such as "must be a decimal number with at most 6 places"; never the value itself.
    package let message: String
    /// Where in the body the value stands, as segments joined by `/` ("prices/3/input"); nil when the caller knows.
    package let field: String?

    package init(message: String, field: String? = nil) {
        self.message = message
        self.field = field
    }

    /// The same refusal, one level further up in the body.
    package func within(_ parent: String) -> ValueError {
        ValueError(message: message, field: field.map { "\(parent)/\($0)" } ?? parent)
    }
}

extension ValueError: CustomStringConvertible {
    package var description: String { field.map { "\($0) \(message)" } ?? message }
}
