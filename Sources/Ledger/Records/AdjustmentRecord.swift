// A change of one budget's allowance that is no change of its rule: a rise for a while, a gift, a transfer.

import QuotaCore

/// When an adjustment ends.
package enum AdjustmentExpiry: Sendable, Hashable {
    /// With the period in which it was made.
    case periodEnd
    case never
    /// Milliseconds since 1970.
    case at(Int64)
}

extension AdjustmentExpiry: Codable {
    /// The word that the books have for it: `period_end`, `never` or milliseconds.
    package var ledgerText: String {
        switch self {
        case .periodEnd: "period_end"
        case .never: "never"
        case .at(let milliseconds): String(milliseconds)
        }
    }

    /// Reads what `ledgerText` writes; nil for anything else.
    package init?(ledgerText text: some StringProtocol) {
        switch text {
        case "period_end": self = .periodEnd
        case "never": self = .never
        default:
            guard let milliseconds = Int64(text), milliseconds >= 0 else { return nil }
            self = .at(milliseconds)
        }
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let value = Self(ledgerText: try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "must be period_end, never or milliseconds")
        }
        self = value
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(ledgerText)
    }
}

/// One adjustment of a budget.
package struct AdjustmentRecord: Sendable, Hashable, Codable, RecordFields {
    package var id: String
    /// Book units, positive or negative.
    package var amount: Int64
    package var expires: AdjustmentExpiry
    /// The start of the period from which it holds, in seconds since 1970.
    package var periodStart: Int64
    package var createdMilliseconds: Int64
    package var reason: String
    package var actor: String

    package enum CodingKeys: String, CodingKey, CaseIterable, Sendable {
        case id, amount, expires
        case periodStart = "period_start"
        case createdMilliseconds = "created_ms"
        case reason, actor
    }

    package init(
        id: String, amount: Int64, expires: AdjustmentExpiry, periodStart: Int64, createdMilliseconds: Int64,
        reason: String, actor: String
    ) {
        self.id = id
        self.amount = amount
        self.expires = expires
        self.periodStart = periodStart
        self.createdMilliseconds = createdMilliseconds
        self.reason = reason
        self.actor = actor
    }

    /// What is wrong with what a user may choose; empty when nothing is.
    package func validate() -> [(pointer: String, detail: String)] {
        var problems = FieldProblems()
        if amount == 0 { problems.add("/amount", "must not be 0") }
        problems.range(amount, -Amount.maximum...Amount.maximum, at: "/amount")
        problems.text(reason, at: "/reason", maximumBytes: 1000)
        if case .at(let milliseconds) = expires, milliseconds <= createdMilliseconds {
            problems.add("/expires", "must be in the future")
        }
        return problems.list
    }

    private struct Note: Codable {
        var reason: String
        var actor: String
    }

    /// The value in the hash `adjustments:<generation>`.
    package func ledgerText() throws(LedgerError) -> String {
        let note = try RecordCoding.json(Note(reason: reason, actor: actor))
        return "\(amount) \(expires.ledgerText) \(periodStart) \(createdMilliseconds) \(note)"
    }

    /// Reads what `ledgerText` writes.
    ///
    /// - Parameter id: the field in the hash.
    /// - Throws: `.unexpectedAnswer` for anything else.
    package init(id: String, ledgerText text: String) throws(LedgerError) {
        let words = text.split(separator: " ", maxSplits: 4, omittingEmptySubsequences: false)
        guard words.count == 5, let amount = Int64(words[0]), let expires = AdjustmentExpiry(ledgerText: words[1]),
            let start = Int64(words[2]), let created = Int64(words[3])
        else { throw LedgerError(.unexpectedAnswer, "the adjustment \(id) in the books is malformed") }
        let note = try RecordCoding.decode(Note.self, from: String(words[4]))
        self.init(
            id: id, amount: amount, expires: expires, periodStart: start, createdMilliseconds: created,
            reason: note.reason, actor: note.actor)
    }
}
