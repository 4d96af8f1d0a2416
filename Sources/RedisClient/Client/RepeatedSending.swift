// Sends a request again for as long as its rule and its deadline allow.

import NIOCore

enum RepeatedSending {
    /// What one attempt brought, and which server was asked.
    typealias Attempt = (outcome: Result<[RESPValue], RedisError>, asked: RedisConfiguration.Endpoint?)

    /// - Parameter isOver: the client has stopped: the outcome of the present attempt is the last.
    static func run(
        deadline: NIODeadline, isOver: () -> Bool, _ attempt: (RepeatRule.Place) async throws(RedisError) -> Attempt
    ) async throws(RedisError) -> [RESPValue] {
        var rule = RepeatRule()
        var generator = SystemRandomNumberGenerator()
        var place = RepeatRule.Place.owner
        while true {
            let (outcome, asked) = try await attempt(place)
            let first = outcome.map { $0.first ?? .null }
            guard case .again(let next, let pause) = rule.decide(first, asked: asked, using: &generator), !isOver(),
                NIODeadline.now() + TimeAmount(pause) < deadline
            else { return try outcome.get() }
            place = next
            guard pause > .zero else { continue }
            do {
                try await Task.sleep(for: pause)
            } catch {
                throw .cancelled(mayHaveExecuted: false)
            }
        }
    }
}
