// What one stage came to: one line of the table.

/// All injections of one fault.
package struct StageResult: Sendable, Hashable {
    package var fault: String
    package var injected = 0
    package var counts = AnswerCounts()
    /// Tokens, the worst of all checks.
    package var finding = Finding()
    package var doubt = DoubtWatch()
    package var longestGap = Duration.zero
    /// Broken guarantees, unexpected answers, and what kept the stage from its end.
    package var complaints: [String] = []

    package init(fault: String) { self.fault = fault }

    package var isRight: Bool { complaints.isEmpty }
}
