// What has to be done to make the books' rules as the file says, as a value: shown like a diff, then carried out.

/// One change of one thing.
struct PlanStep: Sendable {
    enum Action: Sendable, Hashable {
        case create
        case update([FieldChange])
        case delete
    }

    enum Subject: String, Sendable { case organisation, account, budget, key, prices }

    var action: Action
    var subject: Subject
    /// For people: `search/monthly-usd`.
    var name: String
    var method: ConsoleClient.Method
    var path: String
    var body: JSONValue?
    /// Where the file asks for it; nil for what it does not mention.
    var source: PlacedValue?
    /// Of a key: whose it is.
    var account: String?
}

/// Steps in the order in which they can be done.
struct Plan: Sendable {
    var steps: [PlanStep] = []

    var isEmpty: Bool { steps.isEmpty }

    /// Lines like those of a diff, then a sum.
    func text(coloured: Bool) -> String {
        guard !isEmpty else { return "No changes." }
        return (steps.map { $0.text(coloured: coloured) } + [summary]).joined(separator: "\n")
    }

    var summary: String {
        let (add, change, delete) = counts
        return "Plan: \(add) to add, \(change) to change, \(delete) to delete."
    }

    var counts: (add: Int, change: Int, delete: Int) {
        var counts = (add: 0, change: 0, delete: 0)
        for step in steps {
            switch step.action {
            case .create: counts.add += 1
            case .update: counts.change += 1
            case .delete: counts.delete += 1
            }
        }
        return counts
    }

    /// For programs.
    var json: JSONValue { .array(steps.map(\.json)) }
}

extension PlanStep {
    func text(coloured: Bool) -> String {
        let title = "\(subject.rawValue) \(name)"
        switch action {
        case .create:
            let fields = (body?.members ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.text)" }
            let detail = fields.isEmpty || subject == .prices ? "" : " (\(fields.joined(separator: ", ")))"
            return Terminal.coloured("+ \(title)\(detail)", .green, on: coloured)
        case .delete: return Terminal.coloured("- \(title)", .red, on: coloured)
        case .update(let changes):
            let lines = changes.map { "    \($0.field): \(Self.shown($0.before)) -> \(Self.shown($0.after))" }
            return ([Terminal.coloured("~ \(title)", .yellow, on: coloured)] + lines).joined(separator: "\n")
        }
    }

    private static func shown(_ value: JSONValue) -> String {
        let text = value.compact
        return text.count > 80 ? text.prefix(79) + "…" : text
    }

    var json: JSONValue {
        var members: [String: JSONValue] = ["subject": .string(subject.rawValue), "name": .string(name)]
        switch action {
        case .create: members["action"] = "create"
        case .delete: members["action"] = "delete"
        case .update(let changes):
            members["action"] = "update"
            members["changes"] = .array(
                changes.map { .object(["field": .string($0.field), "before": $0.before, "after": $0.after]) })
        }
        return .object(members)
    }
}
