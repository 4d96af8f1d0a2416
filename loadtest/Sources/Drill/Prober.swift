// Asks one gateway without end, one question after the other on one connection.

import Foundation

/// Asks one gateway whether an account may spend one token. Nothing is held: the answer alone counts.
struct Prober: Sendable {
    /// After an answer that tells nothing: a gateway that is not there is not asked in a busy loop.
    private static let pauseAfterFailure = Duration.milliseconds(10)
    /// Characters of an error that are kept.
    private static let longestReason = 100

    /// Its place among the gateways.
    let gateway: Int
    let url: String
    let account: String
    let caller: HTTPCaller
    let board: ProbeBoard
    /// Between an answer and the next question.
    let pause: Duration

    /// Asks until the task is cancelled.
    func run() async {
        let clock = ContinuousClock()
        let address = url + "/v1/reservations?dry_run=true"
        let body = "{\"account\":\"\(account)\",\"estimate\":{\"tokens\":1}}"
        while !Task.isCancelled {
            let sent = clock.now
            let answer: ProbeAnswer
            do {
                let reply = try await caller.post(address, body: body)
                answer = Self.answer(reply)
            } catch {
                if Task.isCancelled { return }
                answer = .other(String("\(error)".prefix(Self.longestReason)))
            }
            board.record(Probe(sent: sent, arrived: clock.now, answer: answer), gateway: gateway)
            var rest = pause
            if case .other = answer { rest = max(rest, Self.pauseAfterFailure) }
            // A cancelled sleep ends the loop.
            if rest > .zero { try? await clock.sleep(for: rest) }
        }
    }

    static func answer(_ reply: HTTPAnswer) -> ProbeAnswer {
        struct Problem: Decodable { var code: String? }
        if reply.status == 200 || reply.status == 201 { return .admitted }
        let code = (try? JSONDecoder().decode(Problem.self, from: reply.body))?.code ?? "status_\(reply.status)"
        return switch (reply.status, code) {
        case (403, "account_blocked"): .blocked
        case (429, "budget_exhausted"): .exhausted
        default: .other(code)
        }
    }
}
