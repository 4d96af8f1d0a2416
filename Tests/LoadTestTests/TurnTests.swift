// The drill's arithmetic with given times.

import Testing

@testable import LoadTest

@Suite struct TurnTests {
    private let begin = ContinuousClock.now
    /// The console's answer arrives 10 ms after the begin.
    private var answered: ContinuousClock.Instant { at(10) }

    private func at(_ milliseconds: Int) -> ContinuousClock.Instant { begin + .milliseconds(milliseconds) }

    /// A turn of two gateways from admission to a block.
    private func turn(_ probes: [(gateway: Int, sent: Int, arrived: Int, answer: ProbeAnswer)]) -> Turn {
        var turn = Turn(from: .admitted, to: .blocked, gateways: 2, begin: begin)
        for probe in probes {
            turn.record(
                Probe(sent: at(probe.sent), arrived: at(probe.arrived), answer: probe.answer), gateway: probe.gateway)
        }
        return turn
    }

    @Test("the figure is the arrival of the last gateway's first refusal, from the console's answer on")
    func last() {
        let turn = turn([
            (0, 8, 12, .blocked), (0, 13, 14, .blocked), (1, 9, 12, .admitted), (1, 13, 17, .blocked),
            (1, 18, 30, .blocked),
        ])
        #expect(turn.isOver)
        #expect(
            turn.figures(answered: answered)
                == Turn.Figures(last: .milliseconds(7), lastSentTooLate: nil, relapses: 0))
    }

    @Test("while one gateway has not turned there is no figure, and it is named")
    func waiting() {
        let turn = turn([(0, 8, 12, .blocked), (1, 9, 12, .admitted), (1, 13, 14, .other("ledger_unavailable"))])
        #expect(!turn.isOver)
        #expect(turn.waiting == [1])
        #expect(turn.figures(answered: answered) == nil)
    }

    @Test("news that is faster than the console counts as nothing, not as less")
    func faster() {
        let turn = turn([(0, 3, 5, .blocked), (1, 4, 9, .blocked)])
        #expect(turn.figures(answered: answered)?.last == .zero)
    }

    @Test("an admission is late when it was sent after the console's answer, whenever it arrived")
    func late() {
        let early = turn([(0, 1, 2, .blocked), (1, 10, 14, .admitted), (1, 15, 16, .blocked)])
        #expect(early.figures(answered: answered)?.lastSentTooLate == nil)
        let late = turn([
            (0, 1, 2, .blocked), (1, 11, 12, .admitted), (1, 13, 14, .admitted), (1, 15, 16, .blocked),
        ])
        #expect(late.figures(answered: answered)?.lastSentTooLate == .milliseconds(3))
        #expect(late.figures(answered: answered)?.relapses == 0)
    }

    @Test("questions from before the turn tell nothing")
    func before() {
        let turn = turn([(0, -1, 1, .blocked), (1, 0, 2, .blocked)])
        #expect(turn.waiting == [0])
    }

    @Test("an admission that was asked for after the gateway's own refusal is a relapse")
    func relapse() {
        let turn = turn([(0, 1, 12, .blocked), (1, 1, 12, .blocked), (1, 11, 13, .admitted), (1, 12, 13, .admitted)])
        #expect(turn.figures(answered: answered)?.relapses == 1)
    }

    @Test("percentiles are of all rounds, in microseconds")
    func figures() {
        var figures = DrillFigures()
        for number in 1...100 {
            figures.add(
                block: .init(
                    last: .microseconds(number), lastSentTooLate: number > 98 ? .microseconds(7) : nil, relapses: 0),
                unblock: .init(last: .microseconds(2 * number), lastSentTooLate: nil, relapses: 0),
                console: .microseconds(5))
        }
        var options = LoadOptions(gateways: ["http://a", "http://b"], keyFile: "", accounts: ["a"])
        options.scenario = .blockDrill
        let report = figures.report(options, board: ProbeBoard())
        #expect(report.rounds == 100)
        #expect(report.block.map { [$0.p50, $0.p90, $0.p99, $0.max] } == [50, 90, 99, 100])
        #expect(report.unblock.map { [$0.p50, $0.p90, $0.p99, $0.max] } == [100, 180, 198, 200])
        #expect(report.console?.max == 5)
        #expect(report.raise == nil)
        #expect(report.lateAdmissions == 2)
        #expect(report.lastLateAdmission?.p50 == 7)
        #expect(report.verdict.isFine)
    }

    @Test("a gateway that admits after it has refused breaks the drill")
    func broken() {
        var figures = DrillFigures()
        figures.add(
            block: .init(last: .zero, lastSentTooLate: nil, relapses: 2),
            unblock: .init(last: .zero, lastSentTooLate: nil, relapses: 0), console: .zero)
        var options = LoadOptions(gateways: ["http://a"], keyFile: "", accounts: ["a"])
        options.scenario = .blockDrill
        let report = figures.report(options, board: ProbeBoard())
        #expect(report.admittedAfterRefusal == 2)
        #expect(!report.verdict.isFine)
    }
}
