// From the record to the fields that scripts decide by, see docs/ledger.md: plain integers and short texts.

import QuotaCore

extension BudgetRecord {
    /// The fields of the hash `budget:<account>/<name>`, `version` excepted: that is the script's to give.
    ///
    /// - Parameters:
    ///   - generation: the budget's random id.
    ///   - periods: contiguous, the current one first; not stored for minutes and hours, which are arithmetic.
    /// - Throws: `.invalid` for what `validate` would have named.
    package func ledgerFields(generation: String, periods: [Period]) throws(LedgerError) -> [(String, String)] {
        precondition(!timezoneIsLeftOut, "periods depend on the zone")
        let record = try RecordCoding.json(self)
        do {
            return [
                ("record", record),
                ("generation", generation),
                ("unit", unit.rawValue),
                ("amount", try book(amount, "amount")),
                ("mode", (mode ?? .enforce).rawValue),
                ("steps", try ladderSteps().map(\.ledgerText).joined(separator: ",")),
                ("next_amount", try book(next?.amount, "next", "amount")),
                ("next_from", next?.from ?? ""),
                ("rollover_max", try book(rollover?.max, "rollover", "max")),
                ("every", period.every.rawValue),
                ("periods", Self.ledgerText(periods, every: period.every)),
                ("abandoned", (abandoned ?? .charge).rawValue),
                ("outage", try outageRule().ledgerText),
            ]
        } catch {
            throw LedgerError(.invalid(pointer: "/" + (error.field ?? "")), error.message, cause: error)
        }
    }

    /// The steps in order of their fraction.
    ///
    /// - Throws: when an `at` is out of range.
    package func ladderSteps() throws(ValueError) -> [LadderStep] {
        var steps: [LadderStep] = []
        for (index, step) in (policy ?? []).enumerated() {
            guard let fraction = step.fraction else {
                throw ValueError(message: PolicyStep.fractionRule, field: "policy/\(index)/at")
            }
            steps.append(
                LadderStep(at: fraction, kind: step.kind, rate: step.requestsPerMinute, model: step.model))
        }
        return steps.sorted { $0.at < $1.at }
    }

    /// What nodes may do in an outage, amounts in book units.
    package func outageRule() throws(ValueError) -> OutageRule {
        let seconds = outage?.forSeconds ?? 30
        switch outage?.mode ?? .spendLeases {
        case .deny: return .deny
        case .spendLeases: return .spendLeases(seconds: seconds)
        case .allow:
            let amount = try integer(outage?.amount ?? DecimalText(text: "0"), ["outage", "amount"])
            return .allow(seconds: seconds, amount: amount)
        }
    }

    /// Periods as the books hold them: `START:END:ID` joined by commas, instants in seconds.
    package static func ledgerText(_ periods: [Period], every: PeriodLength) -> String {
        switch every {
        case .minute, .hour: ""
        case .day, .week, .month, .quarter, .year:
            periods.map { "\($0.start):\($0.end):\($0.id)" }.joined(separator: ",")
        }
    }

    /// Book units as text, empty when left out.
    private func book(_ amount: DecimalText?, _ path: String...) throws(ValueError) -> String {
        guard let amount else { return "" }
        return String(try integer(amount, path))
    }

    private func integer(_ amount: DecimalText, _ path: [String]) throws(ValueError) -> Int64 {
        do {
            return try Amount.parse(amount.text, unit: unit)
        } catch {
            throw ValueError(message: error.message, field: path.joined(separator: "/"))
        }
    }
}

extension LadderStep {
    /// `FRACTION:KIND[:RATE]`.
    package var ledgerText: String { "\(at):\(kind.rawValue)" + (rate.map { ":\($0)" } ?? "") }
}

extension OutageRule {
    /// `deny`, `spend_leases:SECONDS` or `allow:SECONDS:AMOUNT`.
    package var ledgerText: String {
        switch self {
        case .deny: "deny"
        case .spendLeases(let seconds): "spend_leases:\(seconds)"
        case .allow(let seconds, let amount): "allow:\(seconds):\(amount)"
        }
    }

    /// Reads what `ledgerText` writes; nil for anything else.
    package init?(ledgerText text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        let numbers = parts.dropFirst().compactMap { Int64($0) }
        guard numbers.count == parts.count - 1, numbers.allSatisfy({ $0 >= 0 }) else { return nil }
        switch (parts[0], numbers.count) {
        case ("deny", 0): self = .deny
        case ("spend_leases", 1): self = .spendLeases(seconds: numbers[0])
        case ("allow", 2): self = .allow(seconds: numbers[0], amount: numbers[1])
        default: return nil
        }
    }
}
