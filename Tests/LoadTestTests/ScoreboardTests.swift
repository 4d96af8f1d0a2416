// What is counted as used when a budget first refuses.

import Testing

@testable import LoadTest

@Suite struct ScoreboardTests {
    private let quota = BudgetName(account: "a", budget: "quota")

    private func arrival(due milliseconds: Int) -> Arrival {
        Arrival(
            offset: .milliseconds(milliseconds), account: 0, gateway: 0, commitGateway: 0, inputTokens: 100,
            outputTokens: 40, estimatedOutput: 50, thinkTime: .zero)
    }

    private func openAtFirstDenial(admittedLater due: Int) -> Int64? {
        let board = Scoreboard(accounts: 1)
        board.admitted(arrival(due: 0), isRerouted: false, latency: .zero, at: .zero)
        for due in [10, 30] {
            board.refused(
                arrival(due: due), code: "budget_exhausted", isDecision: true, by: [quota], latency: .zero, at: .zero)
        }
        board.admitted(arrival(due: due), isRerouted: false, latency: .zero, at: .zero)
        return board.snapshot.firstDenials[quota]?.tallies[0].openTokens
    }

    @Test("an admission that was due before the first denied request was held then, one that was due later was not")
    func inFlight() {
        #expect(openAtFirstDenial(admittedLater: 5) == 300)
        #expect(openAtFirstDenial(admittedLater: 20) == 150)
    }

    @Test("other refusals are no first denial")
    func otherCodes() {
        let board = Scoreboard(accounts: 1)
        board.refused(arrival(due: 0), code: "throttled", isDecision: true, by: [quota], latency: .zero, at: .zero)
        #expect(board.snapshot.firstDenials.isEmpty)
        #expect(board.counts.denials == ["throttled": 1])
    }
}
