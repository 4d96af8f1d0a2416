// What a person sees while the run lasts: a bar on a terminal, now and then a line elsewhere.

import Foundation

/// How progress is shown.
package struct LoadProgress: Sendable {
    package enum Style: Sendable, Hashable {
        case none
        /// One line, drawn anew.
        case bar
        case lines(every: Duration)
    }

    package var style: Style
    package var write: @Sendable (String) -> Void

    package init(style: Style, write: @escaping @Sendable (String) -> Void) {
        self.style = style
        self.write = write
    }

    package static let none = LoadProgress(style: .none) { _ in }

    /// On standard error: a bar when it is a terminal, else a line every five seconds.
    package static var standardError: LoadProgress {
        LoadProgress(style: isatty(STDERR_FILENO) == 1 ? .bar : .lines(every: .seconds(5))) { text in
            FileHandle.standardError.write(Data(text.utf8))
        }
    }

    /// Shows the counts until the task is cancelled, and once more then.
    func run(total: Int, counts: @Sendable () -> LoadCounts) async {
        let interval: Duration
        switch style {
        case .none: return
        case .bar: interval = .milliseconds(200)
        case .lines(let every): interval = every
        }
        let clock = ContinuousClock()
        let start = clock.now
        while !Task.isCancelled {
            try? await clock.sleep(for: interval)
            show(Self.line(counts(), total: total, elapsed: clock.now - start, withBar: style == .bar))
        }
        if style == .bar { write("\n") }
    }

    /// Shows how far a drill is: every round on a terminal, every tenth elsewhere.
    func show(round: Int, of rounds: Int, last: String) {
        let line = "round \(round)/\(rounds)  last \(last)"
        switch style {
        case .none: return
        case .bar: write("\r\u{1B}[K" + line + (round == rounds ? "\n" : ""))
        case .lines: if round % 10 == 0 || round == rounds { write(line + "\n") }
        }
    }

    private func show(_ line: String) { write(style == .bar ? "\r\u{1B}[K" + line : line + "\n") }

    static func line(_ counts: LoadCounts, total: Int, elapsed: Duration, withBar: Bool) -> String {
        let share = total > 0 ? min(1, Double(counts.sent) / Double(total)) : 1
        let rate = elapsed > .zero ? Double(counts.decisions) / elapsed.inSeconds : 0
        let refused = counts.denials.values.reduce(0, +)
        var words = [
            "\(Int(share * 100)) %", "\(counts.sent)/\(total) sent", "\(Int(rate.rounded()))/s",
            "\(counts.admitted) admitted", "\(refused) refused", "\(counts.inFlight) in flight",
        ]
        if counts.late > 0 { words.append("\(counts.late) late") }
        if counts.unansweredTotal > 0 { words.append("\(counts.unansweredTotal) without answer") }
        if counts.unacknowledgedTotal > 0 { words.append("\(counts.unacknowledgedTotal) not acknowledged") }
        let text = words.joined(separator: "  ")
        guard withBar else { return text }
        let width = 24
        let filled = Int(share * Double(width))
        return String(repeating: "█", count: filled) + String(repeating: "░", count: width - filled) + " " + text
    }
}
