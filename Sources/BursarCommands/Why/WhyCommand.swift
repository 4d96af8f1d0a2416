// `bursar why dec_...`: the receipt of one decision, which any gateway reads from the id itself.

import ArgumentParser

struct WhyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "why", abstract: "Explains one decision.",
        discussion: "Asks a gateway with a key that may see the account.")

    @Argument(help: "The decision's id, dec_...")
    var decision: String

    @Option(name: .long, help: "A gateway's URL.")
    var gateway = "http://127.0.0.1:8080"

    @OptionGroup var access: AccessOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard decision.hasPrefix("dec_") else { throw ValidationError("A decision's id begins with dec_.") }
    }

    func run() async throws {
        let receipt = try await access.withClient(of: gateway) {
            try await $0.get("/v1/decisions/\(ConsoleClient.escape(decision))")
        }
        if output.json { return Terminal.line(receipt.pretty) }
        if output.quiet { return Terminal.line(receipt["outcome"]?.text ?? "") }
        Self.sentences(receipt).forEach(Terminal.line)
        let budgets = receipt["budgets"]?.items ?? []
        guard !budgets.isEmpty else { return }
        Terminal.line("")
        output.show(
            budgets,
            columns: [
                .left("ACCOUNT", "account"), .left("BUDGET", "budget"), .left("UNIT", "unit"),
                .right("ALLOWANCE", "allowance"), .right("REMAINING", "remaining"), .left("RESETS", "resets_at"),
                .right("VERSION", "version"),
            ])
    }

    static func sentences(_ receipt: JSONValue) -> [String] {
        func text(_ path: String) -> String { receipt[path]?.text ?? "-" }
        let asked = (receipt["requested"]?.members ?? [:]).sorted { $0.key < $1.key }
            .map { "\($0.value.text) \($0.key)" }.joined(separator: ", ")
        return [
            "\(text("outcome")): account \(text("account")), model \(text("model"))",
            "asked for \(asked.isEmpty ? "-" : asked)",
            "at \(text("decided_at")) by node \(text("node")), session \(text("session"))",
            "rules version \(text("rules_version")), prices version \(text("prices_version"))",
        ]
    }
}
