// `bursar check`: audits the books.

import ArgumentParser

struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Audits the books: allowance = available + spent + leased + in doubt, for every budget.",
        discussion: "Exits with 1 when something is off.")

    @OptionGroup var console: ConsoleOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let report = try await console.withClient { try await $0.get("/api/v1/check") }
        let problems = report["problems"]?.items ?? []
        let isFine = report["ok"]?.boolean ?? problems.isEmpty
        if output.json {
            Terminal.line(report.pretty)
        } else if output.quiet {
            problems.forEach { Terminal.line($0["code"]?.text ?? $0.text) }
        } else if !problems.isEmpty {
            output.show(
                problems,
                columns: [
                    .left("ACCOUNT", "account"), .left("BUDGET", "budget"), .left("PERIOD", "period"),
                    .left("CODE", "code"), .left("DETAIL", "detail"),
                ])
        }
        guard isFine else { throw CommandError(.failed, "the books are off") }
        if !output.json && !output.quiet {
            Terminal.line("the books are right" + (report["books"].map { " (\($0.text) checked)" } ?? ""))
        }
    }
}
