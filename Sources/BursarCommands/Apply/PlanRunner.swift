// Carries a plan out, step by step. It is no transaction: what is done stays done, and a second run does the rest.

/// A key as it is shown once.
struct IssuedKey: Sendable, Hashable {
    var account: String
    var name: String
    var role: String
    var id: String
    var secret: String

    var json: JSONValue {
        .object([
            "account": .string(account), "name": .string(name), "role": .string(role), "id": .string(id),
            "key": .string(secret),
        ])
    }
}

struct PlanRunner: Sendable {
    let client: ConsoleClient
    /// The file's name in problems.
    let name: String

    /// - Parameter onStep: after each step that was done, with the key that it made.
    /// - Throws: the first refusal, with the place in the file.
    func run(_ plan: Plan, onStep: (PlanStep, IssuedKey?) -> Void) async throws(CommandError) {
        for step in plan.steps {
            do {
                let answer = try await client.send(step.method, step.path, step.body)
                onStep(step, step.subject == .key ? Self.key(answer, step) : nil)
            } catch {
                var error = step.source.map { error.placed(in: $0, name: name) } ?? error
                error.message = "\(step.subject.rawValue) \(step.name): \(error.message)"
                throw error
            }
        }
    }

    private static func key(_ answer: JSONValue, _ step: PlanStep) -> IssuedKey? {
        guard let secret = answer["key"]?.string else { return nil }
        return IssuedKey(
            account: step.account ?? "", name: step.body?["name"]?.text ?? "", role: step.body?["role"]?.text ?? "",
            id: answer["id"]?.text ?? "", secret: secret)
    }
}
