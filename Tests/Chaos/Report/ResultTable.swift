// The table at the end of a run: one line a fault, then what is wrong, in words.

package enum ResultTable {
    private static let titles = [
        "fault", "times", "decisions", "unable", "acknowledged", "overspend", "beyond G3", "lost", "twice",
        "doubt: most", "resolved", "left", "longest gap", "verdict",
    ]

    /// Amounts are tokens; counts are requests.
    package static func text(_ results: [StageResult]) -> String {
        let rows = [titles] + results.map(row)
        let widths = titles.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        let lines = rows.map { row in
            row.indices.map { column in
                let padding = String(repeating: " ", count: widths[column] - row[column].count)
                // Words to the left, numbers to the right.
                return column == 0 || column == titles.count - 1 ? row[column] + padding : padding + row[column]
            }.joined(separator: "  ").trimmingSuffix()
        }
        let complaints = results.flatMap { result in result.complaints.map { "\(result.fault): \($0)" } }
        return (lines + (complaints.isEmpty ? [] : [""] + complaints)).joined(separator: "\n")
    }

    private static func row(_ result: StageResult) -> [String] {
        let finding = result.finding
        return [
            result.fault, "\(result.injected)", "\(result.counts.decisions)", "\(result.counts.unable)",
            "\(result.counts.commits)", "\(finding.overspend)", "\(finding.beyondExposure)", "\(finding.lost)",
            "\(finding.doubled)", "\(result.doubt.peak)", "\(result.doubt.resolved)", "\(result.doubt.last)",
            seconds(result.longestGap), result.isRight ? "held" : "BROKEN",
        ]
    }

    private static func seconds(_ time: Duration) -> String {
        let tenths = (time.milliseconds + 50) / 100
        return "\(tenths / 10).\(tenths % 10) s"
    }
}

extension String {
    fileprivate func trimmingSuffix() -> String {
        var text = self[...]
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}
