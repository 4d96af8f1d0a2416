// The parts of a budget's record, each a small object of its own in JSON.

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif
import QuotaCore

/// Whether a budget refuses or only records.
package enum BudgetMode: String, Sendable, Codable, CaseIterable, Hashable {
    case enforce, shadow
}

/// What becomes of a hold whose reservation is neither committed nor released in time.
package enum AbandonedRule: String, Sendable, Codable, CaseIterable, Hashable {
    case charge, release
}

/// The words of `outage.mode`; `OutageRule` is what a node makes of them.
package enum OutageMode: String, Sendable, Codable, CaseIterable, Hashable {
    case deny
    case spendLeases = "spend_leases"
    case allow
}

extension StepKind {
    static let all: [StepKind] = [.warn, .reroute, .throttle, .block]
}

/// What may be carried over from the period before.
package struct RolloverRecord: Sendable, Hashable, Codable, RecordFields {
    package var max: DecimalText

    package enum CodingKeys: String, CodingKey, CaseIterable, Sendable { case max }

    package init(max: DecimalText) { self.max = max }
}

/// Another amount from a later period on.
package struct NextAmountRecord: Sendable, Hashable, Codable, RecordFields {
    package var amount: DecimalText
    /// The id of the first period that has it.
    package var from: String

    package enum CodingKeys: String, CodingKey, CaseIterable, Sendable { case amount, from }

    package init(amount: DecimalText, from: String) {
        self.amount = amount
        self.from = from
    }
}

/// One step of the policy ladder.
package struct PolicyStep: Sendable, Hashable, Codable, RecordFields {
    /// The part of the allowance at which the step is reached: above 0, at most 10, up to four places.
    package var at: DecimalText
    package var kind: StepKind
    /// The model to use instead; for `reroute`.
    package var model: String?
    /// For all nodes together; for `throttle`.
    package var requestsPerMinute: Int64?
    /// Who is told.
    package var notify: [String]?

    package enum CodingKeys: String, CodingKey, CaseIterable, Sendable {
        case at
        case kind = "do"
        case model
        case requestsPerMinute = "requests_per_minute"
        case notify
    }

    package init(
        at: DecimalText, kind: StepKind, model: String? = nil, requestsPerMinute: Int64? = nil,
        notify: [String]? = nil
    ) {
        self.at = at
        self.kind = kind
        self.model = model
        self.requestsPerMinute = requestsPerMinute
        self.notify = notify
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            at: try container.decode(DecimalText.self, forKey: .at),
            kind: try container.required(.kind, of: StepKind.all),
            model: try container.decodeIfPresent(String.self, forKey: .model),
            requestsPerMinute: try container.decodeIfPresent(Int64.self, forKey: .requestsPerMinute),
            notify: try container.decodeIfPresent([String].self, forKey: .notify))
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        // A fraction is no amount: it is shown as the number that it is.
        if fraction != nil, let number = Decimal(string: at.text) {
            try container.encode(number, forKey: .at)
        } else {
            try container.encode(at, forKey: .at)
        }
        try container.encode(kind, forKey: .kind)
        try container.encodeIfPresent(model, forKey: .model)
        try container.encodeIfPresent(requestsPerMinute, forKey: .requestsPerMinute)
        try container.encodeIfPresent(notify, forKey: .notify)
    }

    static let fractionRule = "must be above 0, at most 10, with up to 4 places"

    /// `at` in 1/10,000, as the books have it; nil when it is not above 0, above 10 or has more than four places.
    package var fraction: Int64? {
        // Dollars have six places, which is all that this needs of them.
        guard let millionths = try? Amount.parse(at.text, unit: .usd), millionths % 100 == 0,
            (1...100_000).contains(millionths / 100)
        else { return nil }
        return millionths / 100
    }

    /// The step with `at` in its shortest form; what cannot be read stays as it is, for `validate` to name.
    var shortest: PolicyStep {
        guard let fraction else { return self }
        var step = self
        step.at = DecimalText(text: Amount.format(fraction * 100, unit: .usd))
        return step
    }
}

/// What a node may do while the ledger is out of reach.
package struct OutageRecord: Sendable, Hashable, Codable, RecordFields {
    package var mode: OutageMode
    /// How long leases may be spent, in seconds; not for `deny`.
    package var forSeconds: Int64?
    /// The emergency amount, for `allow` only.
    package var amount: DecimalText?

    package enum CodingKeys: String, CodingKey, CaseIterable, Sendable {
        case mode
        case forSeconds = "for_s"
        case amount
    }

    package init(mode: OutageMode, forSeconds: Int64? = nil, amount: DecimalText? = nil) {
        self.mode = mode
        self.forSeconds = forSeconds
        self.amount = amount
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            mode: try container.required(.mode, of: OutageMode.allCases),
            forSeconds: try container.decodeIfPresent(Int64.self, forKey: .forSeconds),
            amount: try container.decodeIfPresent(DecimalText.self, forKey: .amount))
    }
}

/// What happens at once when more is asked for, before anybody has decided.
package struct OnRequestRecord: Sendable, Hashable, Codable, RecordFields {
    package var grace: DecimalText

    package enum CodingKeys: String, CodingKey, CaseIterable, Sendable { case grace }

    package init(grace: DecimalText) { self.grace = grace }
}
