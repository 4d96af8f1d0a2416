// What the ledger grants and what it refuses: groups, the limit, ceilings, shares, slack, floors and recall rounds.

@testable import Ledger
@testable import QuotaCore
import RedisClient
import Testing

@Suite struct GrantTests {
    @Test("What was granted lately is told for at least two seconds and at most four")
    func grantedLately() async throws {
        try await withDesk { desk async throws in
            try await desk.tell("a", need: 100)
            desk.now += 1999
            try await desk.tell("b", need: 50)
            #expect(try await desk.figures().grantedLately == 150)
            desk.now += 2000
            #expect(try await desk.figures().grantedLately == 150)
            desk.now += 1
            #expect(try await desk.figures().grantedLately == 0)
        }
    }

    private static let other = LeaseKey(generation: "g2", start: TestBooks.start)

    /// A desk before two budgets: 1,000 tokens and, below a second account, 300.
    private func withTwo(_ body: (Desk) async throws -> Void) async throws {
        try await withDesk { desk async throws in
            try await desk.books.account("search")
            try await desk.books.budget(
                "search", "monthly", [("generation", "g2"), ("amount", "300"), ("steps", "10000:block")])
            desk.generations = ["g1", "g2"]
            try await body(desk)
        }
    }

    private func need(_ amount: Int64, _ key: LeaseKey = Desk.key) -> Need {
        Need(key: key, amount: amount, level: 0, token: false)
    }

    @Test("A group of needs is granted all or none")
    func groups() async throws {
        try await withTwo { desk async throws in
            let leases = [desk.report("a"), desk.report("a", Self.other)]
            let answer = try await desk.exchange(
                "a", leases,
                groups: [[need(400), need(400, Self.other)], [need(200), need(200, Self.other)]])
            #expect(answer.groups == [.refused([Self.other]), .granted])
            #expect(answer.leases.map(\.granted) == [200, 200])
        }
    }

    @Test(
        "A need whose answer was lost is granted once and shows in the next answer")
    func lostAnswer() async throws {
        try await withDesk { desk async throws in
            let unseen = desk.report("a")
            try await desk.exchange("a", [unseen], groups: [[need(100)]])
            let next = try await desk.exchange("a", [unseen], groups: [[need(100)]])
            #expect(next.groups == [.granted] && next.leases[0].granted == 100)
            let both = try await desk.exchange("a", [unseen], groups: [[need(100)], [need(50)]])
            #expect(both.groups == [.granted, .granted] && both.leases[0].granted == 150)
        }
    }

    @Test("Wants are cumulative targets: asked again, they grant nothing twice")
    func wants() async throws {
        try await withDesk { desk async throws in
            var unseen = desk.report("a")
            (unseen.want, unseen.demand) = (60, 60)
            #expect(try await desk.exchange("a", [unseen]).leases[0].granted == 60)
            #expect(try await desk.exchange("a", [unseen]).leases[0].granted == 60)
        }
    }

    @Test("committed is never lifted above the limit, to the last unit")
    func limit() async throws {
        try await withDesk { desk async throws in
            #expect(try await desk.tell("a", need: 999).verdict == .granted)
            #expect(try await desk.tell("b", need: 2).verdict == .wait, "one unit might lie idle at a")
            desk.now += 50
            #expect(try await desk.tell("b", need: 2).verdict == .refused([Desk.key]))
            #expect(try await desk.tell("b", need: 1).verdict == .granted)
            #expect(try await desk.tell("c", need: 1).verdict == .refused([Desk.key]))
            #expect(try await desk.figures().available == 0)
        }
    }

    @Test("A need at a level above a ladder that became shorter is still bound by the block")
    func levelAboveLadder() async throws {
        try await withDesk([("steps", "5000:reroute,10000:block")]) { desk async throws in
            #expect(try await desk.tell("a", need: 900, level: 1).verdict == .granted)
            try await desk.books.alter(("steps", "10000:block"))
            #expect(try await desk.tell("a", need: 500, level: 1).verdict == .refused([Desk.key]))
            #expect(try await desk.figures().committed == 900)
        }
    }

    @Test("Each ceiling is judged per request: below reroute, below throttle, below block")
    func ceilings() async throws {
        try await withDesk([("steps", "5000:reroute,8000:throttle:60,10000:block")]) { desk async throws in
            #expect(try await desk.verdict("a", need: 501, level: 0) == .refused([Desk.key]))
            #expect(try await desk.verdict("a", need: 500, level: 0) == .granted)
            #expect(try await desk.verdict("b", need: 1, level: 0) == .refused([Desk.key]))
            #expect(try await desk.verdict("b", need: 300, level: 1) == .granted)
            #expect(try await desk.verdict("b", need: 1, level: 1) == .refused([Desk.key]))
            #expect(try await desk.verdict("b", need: 200, level: 2, token: true) == .granted)
            desk.now += 60_000
            #expect(try await desk.verdict("b", need: 1, level: 2, token: true) == .refused([Desk.key]))
            #expect(try await desk.figures().reached == 3)
            #expect(try await desk.events("budget.reached") == 3)
        }
    }

    @Test("A throttle lets its rate through at its level, tells when to come again, and takes nothing from the refused")
    func throttle() async throws {
        try await withDesk([("steps", "1000:throttle:60,10000:block")]) { desk async throws in
            #expect(try await desk.tell("a", need: 1, level: 1, token: true).verdict == .granted)
            let refused = try await desk.tell("a", need: 1, level: 1, token: true)
            #expect(refused.verdict == .throttled(milliseconds: 1000) && refused.lease.granted == 1)
            desk.now += 400
            #expect(try await desk.tell("a", need: 1, level: 1, token: true).verdict == .throttled(milliseconds: 600))
            desk.now += 600
            #expect(try await desk.tell("a", need: 1, level: 1, token: true).verdict == .granted)
            // Where slices suffice the throttle still counts the request.
            #expect(try await desk.tell("a", need: 0, level: 1, token: true).verdict == .throttled(milliseconds: 1000))
        }
    }

    @Test("A soft budget without a block grants beyond its allowance once its steps are passed")
    func soft() async throws {
        try await withDesk([("steps", "8000:reroute")]) { desk async throws in
            #expect(try await desk.tell("a", need: 801).verdict == .refused([Desk.key]))
            #expect(try await desk.tell("a", need: 5000, level: 1).verdict == .granted)
            let figures = try await desk.figures()
            #expect(figures.limit == -1 && figures.available == -4000)
        }
    }

    @Test("A shadow budget refuses nothing and counts everything")
    func shadow() async throws {
        try await withDesk([("steps", "10000:block"), ("mode", "shadow")]) { desk async throws in
            #expect(try await desk.tell("a", need: 5000).verdict == .granted)
            #expect(try await desk.figures().committed == 5000)
        }
    }

    @Test("Beyond needs, at most what is wanted is granted, and slices shrink geometrically as money runs out")
    func sizes() async throws {
        try await withDesk { desk async throws in
            #expect(try await desk.tell("a", want: 40, demand: 40).lease.granted == 40)
            var granted: Int64 = 40
            var last = Int64.max
            for _ in 0..<9 {
                let answer = try await desk.tell("a", used: granted, want: 100_000, demand: 500)
                let size = answer.lease.granted - granted
                #expect(size < last && size <= (1000 - granted) / 2)
                (granted, last) = (answer.lease.granted, size)
            }
            #expect(granted > 900 && granted < 1000)
        }
    }

    @Test("A hot node gets the most of what is free, whatever many idle nodes ask for")
    func hot() async throws {
        try await withDesk([("steps", "10000:block"), ("amount", "100000")]) { desk async throws in
            for index in 0..<20 { try await desk.tell("idle\(index)", demand: 0) }
            let hot = try await desk.tell("hot", want: 100_000, demand: 5000).lease.granted
            #expect(hot > 30_000)
            for index in 0..<20 {
                #expect(try await desk.tell("idle\(index)", want: 1_000_000, demand: 10).lease.granted < 100)
            }
        }
    }

    @Test("The slack that may lie idle goes to nothing as the free money does")
    func slack() async throws {
        try await withDesk { desk async throws in
            var last = Int64.max
            for used: Int64 in [0, 300, 600, 900, 998] {
                let answer = try await desk.tell(
                    "a", used: used, need: max(0, used - desk.report("a").granted), level: 0)
                #expect(answer.lease.slack < last && answer.lease.slack <= 1000 - used)
                last = answer.lease.slack
            }
            #expect(try await desk.tell("a", used: 1000).lease.slack == 0)
        }
    }

    @Test("A refused need is a floor for all nodes, until money for it came back by whichever way")
    func floors() async throws {
        try await withDesk { desk async throws in
            try await desk.tell("b", need: 950)
            try await desk.exchange("b", next: 2, opened: [1], [desk.report("b")])
            #expect(try await desk.verdict("a", need: 100) == .refused([Desk.key]))
            desk.now += 1000
            #expect(try await desk.tell("a").lease.floors == [0: 100])
            // b's goodbye names no lease: the money comes back through the list of what it holds.
            try await desk.exchange(
                "b", goodbye: true, next: 2, parked: [Desk.parked(1, at: desk.now + 60_000, 950)])
            #expect(try await desk.settle("b", 1, charge: 200, hold: 950) == .booked)
            #expect(try await desk.books.field("book:g1:1800000000", "floors") == "")
            #expect(try await desk.books.field("book:g1:1800000000", "freed_ms") == String(desk.now))
        }
    }

    @Test("A need above the limit is refused at once, and leaves the other nodes their slack")
    func aboveLimit() async throws {
        try await withDesk { desk async throws in
            try await desk.tell("b", want: 100, demand: 100)
            #expect(try await desk.tell("a", need: 5000).verdict == .refused([Desk.key]))
            let next = try await desk.tell("b", want: 150, demand: 100)
            #expect(next.lease.slack > 0 && next.lease.granted == 150)
        }
    }

    @Test("A need that does not fit while slack is out begins one recall round; it ends when all holders have answered")
    func recall() async throws {
        try await withDesk { desk async throws in
            for name in ["b", "c"] { try await desk.tell(name, need: 200) }
            let waiting = try await desk.tell("a", need: 700)
            #expect(waiting.verdict == .wait && waiting.lease.recall > 0)
            let round = waiting.lease.recall
            // The one who asks is no holder: its answer ends nothing.
            #expect(try await desk.tell("a", answered: round, need: 700).verdict == .wait)
            try await desk.tell("b", returned: 200, answered: round)
            #expect(try await desk.tell("a", answered: round, need: 900).verdict == .wait)
            try await desk.tell("c", returned: 50, answered: round)
            #expect(try await desk.tell("a", need: 700).verdict == .granted)
        }
    }

    @Test("A recall round without answers is over after 50 ms, and then the need is refused")
    func recallEnds() async throws {
        try await withDesk { desk async throws in
            try await desk.tell("b", need: 500)
            #expect(try await desk.tell("a", need: 700).verdict == .wait)
            desk.now += 49
            #expect(try await desk.tell("a", need: 700).verdict == .wait)
            desk.now += 1
            #expect(try await desk.tell("a", need: 700).verdict == .refused([Desk.key]))
        }
    }

    @Test("No slack is given out between a round and the next ask of those who waited, so no round follows a round")
    func noEndlessRounds() async throws {
        try await withDesk { desk async throws in
            try await desk.tell("b", need: 500)
            let round = try await desk.tell("a", need: 700).lease.recall
            #expect(try await desk.tell("b", answered: round).lease.slack == 0)
            let idle = try await desk.tell("c", want: 100, demand: 100)
            #expect(idle.lease.slack == 0 && idle.lease.granted == 0)
            #expect(try await desk.tell("a", need: 700).verdict == .refused([Desk.key]))
        }
    }

    @Test("A round's number is never used again, also when Redis forgot the last one")
    func recallNumbers() async throws {
        try await withDesk { desk async throws in
            try await desk.tell("b", need: 500)
            try await desk.books.save()
            let lost = try await desk.tell("a", need: 700).lease.recall
            try await desk.books.forget()
            desk.server = "b2"
            desk.now += 10
            try await desk.tell("b")
            desk.now += 3001
            try await desk.tell("b")
            #expect(try await desk.tell("a", need: 700).lease.recall > lost)
        }
    }

    @Test("Hints that money came back are at least 50 ms apart")
    func freed() async throws {
        try await withDesk { desk async throws in
            try await desk.tell("b", need: 1000)
            func hint() async throws -> String? { try await desk.books.field("book:g1:1800000000", "freed_ms") }
            try await desk.tell("a", need: 10)
            desk.now += 60
            try await desk.tell("a", need: 10)
            let first = desk.now
            try await desk.tell("b", returned: 10)
            #expect(try await hint() == String(first))
            desk.now += 49
            try await desk.tell("a", need: 50)
            try await desk.tell("b", returned: 100)
            #expect(try await hint() == String(first))
            try await desk.tell("a", need: 150)
            desk.now += 1
            try await desk.tell("b", returned: 200)
            #expect(try await hint() == String(desk.now))
        }
    }

    @Test("A raise ends refusals and the shown step; a lowering ends neither and keeps what was spent")
    func raiseAndLower() async throws {
        try await withDesk { desk async throws in
            try await desk.tell("a", used: 0, need: 1000)
            try await desk.tell("a", used: 700)
            try await desk.tell("b", need: 10)
            try await desk.books.alter(("amount", "800"))
            let lowered = try await desk.figures()
            #expect(lowered.reached == 1 && lowered.available == -200 && lowered.spent == 700)
            let told = try await desk.tell("a")
            #expect(told.lease.floors == [0: 10] && told.lease.slack == 0)
            try await desk.tell("a", returned: 300)
            try await desk.books.alter(("amount", "2000"))
            let raised = try await desk.figures()
            #expect(raised.reached == 0 && raised.spent == 700 && raised.available == 1300)
            #expect(try await desk.tell("b", need: 1300).verdict == .granted)
        }
    }
}
