// The report as people read it.

extension LoadReport {
    /// Several lines, the last one the verdict.
    package var text: String {
        let counts = details.counts
        var lines = [
            "\(details.scenario): \(grouped(counts.sent)) of \(grouped(details.planned)) requests in "
                + "\(details.elapsed.inSeconds.text(places: 1)) s, "
                + "\(details.accounts) accounts, \(details.gateways) gateways",
            row(
                "decisions",
                "\(grouped(counts.decisions)) (\(decisionsPerSecond.text(places: 1))/s), "
                    + "\(grouped(counts.admitted)) admitted, \(grouped(counts.rerouted)) rerouted, "
                    + "\(grouped(counts.late)) late, without answer: \(list(counts.unanswered))"),
            row(
                "latency",
                "p50 \(grouped(latency.p50)) us, p99 \(grouped(latency.p99)) us, "
                    + "slowest \(grouped(details.slowestMicroseconds)) us"),
            row("denials", list(denials)),
            row(
                "commits",
                "\(grouped(counts.acknowledged)) acknowledged, \(grouped(counts.acknowledgedElsewhere)) elsewhere, "
                    + "\(grouped(counts.commitRetries)) retries, not acknowledged: \(list(counts.unacknowledged)), "
                    + "p50 \(grouped(details.commitP50Microseconds)) us, "
                    + "p99 \(grouped(details.commitP99Microseconds)) us"),
            row(
                "redis",
                redisCommandsPerDecision.map { "\($0.text(places: 4)) commands per decision" } ?? "not counted"),
        ]
        if !budgets.isEmpty { lines += [""] + budgetTable + [""] }
        let held = g1.map { $0 ? "held" : "VIOLATED" } ?? "not checked"
        let failed = details.booksFailed > 0 ? ", \(grouped(details.booksFailed)) readings failed" : ""
        lines.append(row("G1", "\(held) (\(grouped(details.booksChecked)) books checked\(failed))"))
        lines += details.notes.map { row("note", $0) }
        lines.append(row("verdict", verdict.isFine ? verdict.description : "BROKEN"))
        lines += verdict.broken.map { row("", $0) }
        return lines.joined(separator: "\n") + "\n"
    }

    private var budgetTable: [String] {
        let head = ["budget", "allowance", "spent", "acknowledged", "overspend", "used at first denial"]
        let rows = budgets.map { budget in
            [
                "\(budget.account)/\(budget.budget)", "\(budget.allowance)", "\(budget.spent)",
                "\(budget.acknowledged)", "\(budget.overspend)",
                budget.usedAtFirstDenial.map { ($0 * 100).text(places: 3) + " %" } ?? "never denied",
            ]
        }
        let widths = head.indices.map { column in
            ([head] + rows).map { $0[column].count }.max() ?? 0
        }
        return ([head] + rows).map { cells in
            cells.indices.map { column in
                let padding = String(repeating: " ", count: widths[column] - cells[column].count)
                return column == 0 ? cells[column] + padding : padding + cells[column]
            }.joined(separator: "  ")
        }
    }

    private func row(_ name: String, _ text: String) -> String {
        name + String(repeating: " ", count: max(1, 12 - name.count)) + text
    }

    private func list(_ counts: [String: Int]) -> String {
        if counts.isEmpty { return "none" }
        return counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
            .map { "\($0.key) \(grouped($0.value))" }.joined(separator: ", ")
    }

    /// With a comma before every three digits.
    private func grouped(_ number: some BinaryInteger) -> String {
        var digits = String(number)
        var end = digits.count - 3
        while end > 0 {
            digits.insert(",", at: digits.index(digits.startIndex, offsetBy: end))
            end -= 3
        }
        return digits
    }
}

extension Double {
    /// With exactly so many places, rounded down: a share just short of a bound must not look as if it met it.
    func text(places: Int) -> String {
        var scale = 1.0
        for _ in 0..<places { scale *= 10 }
        guard isFinite, abs(self) < 1e12 else { return "\(self)" }
        let scaled = Int64((abs(self) * scale).rounded(.down))
        let (whole, rest) = scaled.quotientAndRemainder(dividingBy: Int64(scale))
        let fraction = String(rest)
        let sign = self < 0 ? "-" : ""
        if places == 0 { return "\(sign)\(whole)" }
        return "\(sign)\(whole)." + String(repeating: "0", count: places - fraction.count) + fraction
    }

    /// Rounded down to so many places.
    func rounded(places: Int) -> Double { Double(text(places: places)) ?? self }
}
