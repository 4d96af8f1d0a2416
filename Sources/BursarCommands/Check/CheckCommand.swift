// `bursar check`: audits the books.

import ArgumentParser
import Foundation

struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Audits the books: allowance = available + spent + leased + in doubt, for every budget.",
        discussion: "Exits with 1 when something is off.")

    @OptionGroup var console: ConsoleOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let rows = try await console.withClient { try await $0.list("/api/v1/check") }
        let violations = Self.violations(rows)
        if output.json {
            Terminal.line(JSONValue.array(rows).pretty)
        } else if output.quiet {
            for row in violations { Terminal.line("\(row["account"]?.text ?? "")/\(row["budget"]?.text ?? "")") }
        } else if !violations.isEmpty {
            output.show(
                violations,
                columns: [
                    .left("ACCOUNT", "account"), .left("BUDGET", "budget"), .left("PERIOD", "period"),
                    .left("DETAIL", "detail"),
                ])
        }
        guard violations.isEmpty else { throw CommandError(.failed, "the books are off") }
        if !output.json && !output.quiet {
            let periods = rows.reduce(Decimal(0)) { sum, row in
                if case .number(let count)? = row["periods"] { sum + count } else { sum }
            }
            Terminal.line("the books are right: \(rows.count) budgets, \(periods) periods checked")
        }
    }

    /// A row for everything that is off.
    static func violations(_ rows: [JSONValue]) -> [JSONValue] {
        rows.flatMap { row in
            (row["violations"]?.items ?? []).map { violation in
                violation.overlaid(
                    with: .fields(["account": row["account"]?.text ?? "", "budget": row["budget"]?.text ?? ""]))
            }
        }
    }
}
