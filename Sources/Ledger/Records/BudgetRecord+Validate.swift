// Every rule that a budget must keep, in one place: what passes here is accepted by the scripts and by nodes.

import QuotaCore

extension BudgetRecord {
    /// The books number ceilings 0...7.
    package static let maximumSteps = 8
    package static let maximumRequestsPerMinute: Int64 = 1_000_000
    /// A day; leases of a node are not to be spent unseen for longer.
    package static let maximumOutageSeconds: Int64 = 86_400

    /// What is wrong with the record; empty when nothing is.
    ///
    /// Unit, words, time zone and days of the period were already checked when the record was read.
    package func validate() -> [(pointer: String, detail: String)] {
        var problems = FieldProblems()
        let given = problems.amount(amount, unit: unit, at: "/amount")
        let carried = problems.amount(rollover?.max, unit: unit, at: "/rollover/max")
        let later = problems.amount(next?.amount, unit: unit, at: "/next/amount")
        problems.amount(onRequest?.grace, unit: unit, at: "/on_request/grace")
        validateNext(&problems)
        let (sum, overflowed) = max(given ?? 0, later ?? 0).addingReportingOverflow(carried ?? 0)
        if overflowed || sum > Amount.maximum {
            problems.add("/rollover/max", "must not exceed, together with the amount, \(text(Amount.maximum))")
        }
        validatePolicy(largest: min(sum, Amount.maximum), &problems)
        validateOutage(&problems)
        problems.size(self)
        return problems.list
    }

    private func text(_ amount: Int64) -> String { Amount.format(amount, unit: unit) }

    private func validateNext(_ problems: inout FieldProblems) {
        guard let next else { return }
        switch period.every {
        case .minute, .hour:
            problems.add("/next", "must be left out for every \(period.every.rawValue)")
        case .day, .week, .month, .quarter, .year:
            if next.from.utf8.count > 16 || period.period(id: next.from) == nil {
                problems.add("/next/from", "must be the id of a period, such as \(period.period(containing: 0).id)")
            }
        }
    }

    private func validatePolicy(largest: Int64, _ problems: inout FieldProblems) {
        guard let policy, problems.count(policy.count, at: "/policy", maximum: Self.maximumSteps) else { return }
        var before: Int64 = 0
        var blocked = false
        for (index, step) in policy.enumerated() {
            let pointer = "/policy/\(index)"
            if let fraction = step.fraction {
                if fraction <= before { problems.add("\(pointer)/at", "must be above that of the step before") }
                before = max(before, fraction)
                if LadderStep(at: fraction, kind: step.kind).amount(of: largest) > Amount.maximum {
                    problems.add("\(pointer)/at", "must not lift the amount above \(text(Amount.maximum))")
                }
            } else {
                problems.add("\(pointer)/at", PolicyStep.fractionRule)
            }
            if blocked, step.kind != .warn {
                let detail = step.kind == .block ? "must be the only block step" : "must stand below the block step"
                problems.add("\(pointer)/do", detail)
            }
            blocked = blocked || step.kind == .block
            step.validate(at: pointer, &problems)
        }
    }

    private func validateOutage(_ problems: inout FieldProblems) {
        guard let outage else { return }
        if outage.mode == .deny {
            if outage.forSeconds != nil { problems.add("/outage/for_s", "must be left out for deny") }
        } else {
            problems.range(outage.forSeconds, 1...Self.maximumOutageSeconds, at: "/outage/for_s")
        }
        if outage.mode == .allow {
            if outage.amount == nil { problems.add("/outage/amount", "must be given for allow") }
            problems.amount(outage.amount, unit: unit, at: "/outage/amount")
        } else if outage.amount != nil {
            problems.add("/outage/amount", "must be left out for \(outage.mode.rawValue)")
        }
    }
}

extension PolicyStep {
    /// What each kind of step needs, and nothing that it does not use: a rule that does not apply would mislead.
    fileprivate func validate(at pointer: String, _ problems: inout FieldProblems) {
        switch (kind, model) {
        case (.reroute, nil): problems.add("\(pointer)/model", "must be given for reroute")
        case (.reroute, _): problems.text(model, at: "\(pointer)/model", maximumBytes: 256)
        case (_, nil): break
        case (_, _): problems.add("\(pointer)/model", "must be left out for \(kind.rawValue)")
        }
        let ratePointer = "\(pointer)/requests_per_minute"
        switch (kind, requestsPerMinute) {
        case (.throttle, nil): problems.add(ratePointer, "must be given for throttle")
        case (.throttle, _):
            problems.range(requestsPerMinute, 1...BudgetRecord.maximumRequestsPerMinute, at: ratePointer)
        case (_, nil): break
        case (_, _): problems.add(ratePointer, "must be left out for \(kind.rawValue)")
        }
        if let notify, problems.count(notify.count, at: "\(pointer)/notify", maximum: 16) {
            for (index, name) in notify.enumerated() {
                problems.text(name, at: "\(pointer)/notify/\(index)", maximumBytes: 256)
            }
        }
    }
}
