// Why an account and all below it may not spend at all.

/// An admin's block.
package struct BlockRecord: Sendable, Hashable, Codable, RecordFields {
    package var reason: String
    package var actor: String
    /// When it was set.
    package var timeMilliseconds: Int64

    package enum CodingKeys: String, CodingKey, CaseIterable, Sendable {
        case reason, actor
        case timeMilliseconds = "time_ms"
    }

    package init(reason: String, actor: String, timeMilliseconds: Int64) {
        self.reason = reason
        self.actor = actor
        self.timeMilliseconds = timeMilliseconds
    }

    /// Reads the field `block` of an account; nil when it is empty.
    ///
    /// - Throws: `.unexpectedAnswer` when it is malformed.
    package static func read(_ field: String) throws(LedgerError) -> BlockRecord? {
        field.isEmpty ? nil : try RecordCoding.decode(BlockRecord.self, from: field)
    }

    /// What is wrong with what a user may choose; empty when nothing is.
    package func validate() -> [(pointer: String, detail: String)] {
        var problems = FieldProblems()
        problems.text(reason, at: "/reason", maximumBytes: 1000)
        return problems.list
    }
}
