// Settlement through the ledger: commits that the owner did not see, its death, its return, its goodbye.

@testable import Ledger
@testable import QuotaCore
import RedisClient
import Testing

@Suite struct SettleTests {
    /// A session `a` with 100 granted and the reservation 1 of 40 open.
    private func withOwner(_ body: (Desk) async throws -> Void) async throws {
        try await withDesk { desk async throws in
            try await desk.tell("a", need: 100)
            try await desk.exchange("a", next: 2, opened: [1], [desk.report("a")])
            try await body(desk)
        }
    }

    @Test("A commit for a live owner is kept for it, shown to it, and gone once it counted it")
    func kept() async throws {
        try await withOwner { desk async throws in
            #expect(try await desk.settle("a", 1, charge: 30, hold: 40) == .kept)
            #expect(try await desk.figures().spent == 0)
            #expect(try await desk.settle("a", 1, charge: 35, hold: 40) == .repeat)
            let inbox = try await desk.exchange("a", next: 2).inbox
            #expect(inbox == [InboxEntry(number: 1, parts: [.init(key: Desk.key, charge: 30)])])
            var report = desk.report("a")
            report.used = 30
            #expect(try await desk.exchange("a", next: 2, closed: [1], [report]).inbox.isEmpty)
            #expect(try await desk.settle("a", 1, charge: 30, hold: 40) == .counted)
            #expect(try await desk.row("a") == [100, 30, 0, 0])
        }
    }

    @Test("A commit for an expired owner is booked once, and its session is over for good")
    func booked() async throws {
        try await withOwner { desk async throws in
            desk.now += 3001
            #expect(try await desk.settle("a", 1, charge: 30, hold: 40) == .booked)
            #expect(try await desk.settle("a", 1, charge: 30, hold: 40) == .repeat)
            #expect(try await desk.row("a") == [100, 0, 0, 30])
            let back = try await desk.tell("a", need: 10)
            #expect(back.answer.over && back.verdict == nil && back.lease.granted == 100)
        }
    }

    @Test("An entry that was kept for an owner that then died is booked by the next exchange of anyone")
    func swept() async throws {
        try await withOwner { desk async throws in
            #expect(try await desk.settle("a", 1, charge: 30, hold: 40) == .kept)
            desk.now += 3002
            try await desk.exchange("b")
            #expect(try await desk.row("a") == [100, 0, 0, 30])
            #expect(try await desk.exchange("a").over)
        }
    }

    @Test("What was booked is undone when the owner comes back having counted it itself, without a trace")
    func undone() async throws {
        try await withOwner { desk async throws in
            var report = desk.report("a")
            report.used = 60
            try await desk.exchange("a", next: 2, [report])
            desk.now += 3001
            #expect(try await desk.settle("a", 1, charge: 40, hold: 40) == .booked)
            report.used = 100
            #expect(try await desk.exchange("a", next: 2, closed: [1], [report]).over)
            #expect(try await desk.row("a") == [100, 100, 0, 0])
            #expect(try await desk.figures().committed == 100)
        }
    }

    @Test("A commit of a session that the books don't know is booked, and that session is over")
    func unknown() async throws {
        try await withDesk { desk async throws in
            #expect(try await desk.settle("ghost", 7, charge: 30, hold: 40) == .booked)
            #expect(try await desk.row("ghost") == [30, 0, 0, 30])
            #expect(try await desk.exchange("ghost").over)
        }
    }

    @Test("A charge above its hold raises what was granted")
    func overrun() async throws {
        try await withOwner { desk async throws in
            desk.now += 3001
            #expect(try await desk.settle("a", 1, charge: 1500, hold: 40) == .booked)
            let figures = try await desk.figures()
            #expect(figures.spent == 1500 && figures.available == -560 && figures.inDoubt == 60)
        }
    }

    @Test("An overrun booked for a dead owner leaves in doubt all that its other reservations hold")
    func overrunOfTheDead() async throws {
        try await withOwner { desk async throws in
            desk.now += 3001
            #expect(try await desk.settle("a", 1, charge: 55, hold: 40) == .booked)
            #expect(try await desk.row("a") == [115, 0, 0, 55])
            #expect(try await desk.settle("a", 3, charge: 60, hold: 60) == .booked)
            #expect(try await desk.row("a") == [115, 0, 0, 115])
        }
    }

    @Test("A number the owner has not told is kept open for it, though it is not in its list")
    func untold() async throws {
        try await withOwner { desk async throws in
            #expect(try await desk.settle("a", 2, charge: 5, hold: 10) == .kept)
            let answer = try await desk.exchange("a", next: 3, opened: [2])
            #expect(answer.inbox.map(\.number) == [2])
            #expect(try await desk.exchange("a", next: 3, closed: [2]).inbox.isEmpty)
        }
    }

    @Test("A late commit of a hold that its owner charged at expiry can only raise that charge")
    func expired() async throws {
        try await withOwner { desk async throws in
            var report = desk.report("a")
            report.used = 40
            try await desk.exchange("a", next: 2, expired: [1], [report])
            desk.now += 3001
            #expect(try await desk.settle("a", 1, charge: 50, hold: 40) == .booked)
            #expect(try await desk.row("a") == [110, 40, 0, 10])
        }
    }

    @Test("A hold that its owner charged at expiry, and tells so only after a late commit was booked, counts once")
    func expiredUntold() async throws {
        try await withOwner { desk async throws in
            desk.now += 3001
            #expect(try await desk.settle("a", 1, charge: 50, hold: 40) == .booked)
            #expect(try await desk.row("a") == [110, 0, 0, 50])
            var report = desk.report("a")
            report.used = 40
            #expect(try await desk.exchange("a", next: 2, expired: [1], [report]).over)
            #expect(try await desk.row("a") == [110, 40, 0, 10])
        }
    }

    @Test("A session that is over returns nothing by itself: its goodbye does")
    func overReturns() async throws {
        try await withOwner { desk async throws in
            desk.now += 3001
            #expect(try await desk.settle("a", 1, charge: 30, hold: 40) == .booked)
            var report = desk.report("a")
            report.returned = 100
            #expect(try await desk.exchange("a", next: 2, [report]).over)
            #expect(try await desk.row("a") == [100, 0, 0, 30])
            try await desk.exchange("a", goodbye: true, next: 2, [report])
            #expect(try await desk.row("a") == [100, 0, 70, 30])
        }
    }

    // MARK: Goodbye

    @Test("Goodbye returns everything but the open holds, also grants that the node never saw")
    func goodbye() async throws {
        try await withOwner { desk async throws in
            var unseen = desk.report("a")
            (unseen.granted, unseen.used) = (50, 10)
            let answer = try await desk.exchange(
                "a", goodbye: true, next: 2, parked: [Desk.parked(1, at: desk.now + 60_000, 40)], [unseen])
            #expect(answer.ended)
            #expect(try await desk.row("a") == [100, 10, 50, 0])
            #expect(try await desk.figures().inDoubt == 40)
            #expect(try await desk.exchange("b").sessions == 1)
        }
    }

    @Test("Goodbye returns leases that its message does not name")
    func unnamed() async throws {
        try await withOwner { desk async throws in
            try await desk.exchange("a", goodbye: true, next: 2, closed: [1])
            #expect(try await desk.row("a") == [100, 0, 100, 0])
        }
    }

    @Test("Goodbye said again changes nothing, and an older report after it neither")
    func again() async throws {
        try await withOwner { desk async throws in
            var report = desk.report("a")
            report.used = 30
            try await desk.exchange("a", number: 9, goodbye: true, next: 2, closed: [1], [report])
            #expect(try await desk.exchange("a", goodbye: true, next: 2, closed: [1], [report]).ended)
            report.used = 20
            try await desk.exchange("a", number: 8, [report])
            try await desk.exchange("a", [report])
            #expect(try await desk.row("a") == [100, 30, 70, 0])
        }
    }

    @Test("What is undone after goodbye, because the owner had counted it, goes back though no lease is named")
    func undoneAfterGoodbye() async throws {
        try await withOwner { desk async throws in
            var report = desk.report("a")
            report.used = 25
            #expect(try await desk.settle("a", 1, charge: 25, hold: 40) == .kept)
            try await desk.exchange("a", goodbye: true, next: 2, [report])
            #expect(try await desk.row("a") == [100, 25, 50, 25])
            #expect(try await desk.exchange("a", goodbye: true, next: 2, closed: [1]).ended)
            #expect(try await desk.row("a") == [100, 25, 75, 0])
        }
    }

    @Test("A parked hold follows its budget's rule when it expires", arguments: [true, false])
    func parked(charges: Bool) async throws {
        try await withOwner { desk async throws in
            try await desk.exchange(
                "a", goodbye: true, next: 2, parked: [Desk.parked(1, at: desk.now + 10_000, 40, charges: charges)],
                [desk.report("a")])
            desk.now += 9999
            try await desk.exchange("b")
            #expect(try await desk.figures().inDoubt == 40)
            desk.now += 1
            try await desk.exchange("b")
            #expect(try await desk.row("a") == (charges ? [100, 0, 60, 40] : [100, 0, 100, 0]))
            // The commit that comes after all can only raise that, once.
            #expect(try await desk.settle("a", 1, charge: 50, hold: 40) == .raised)
            #expect(try await desk.settle("a", 1, charge: 50, hold: 40) == .repeat)
            #expect(try await desk.figures().spent == 50)
        }
    }

    @Test("A commit after goodbye books its charge and frees the rest of its hold")
    func commitAfterGoodbye() async throws {
        try await withOwner { desk async throws in
            try await desk.exchange(
                "a", goodbye: true, next: 2, parked: [Desk.parked(1, at: desk.now + 10_000, 40)], [desk.report("a")])
            #expect(try await desk.settle("a", 1, charge: 25, hold: 40) == .booked)
            #expect(try await desk.row("a") == [100, 0, 75, 25])
            desk.now += 20_000
            try await desk.exchange("b")
            #expect(try await desk.row("a") == [100, 0, 75, 25])
        }
    }

    @Test("A late commit is matched to the parked hold by budget, in whichever order it names them")
    func order() async throws {
        try await withDesk { desk async throws in
            try await desk.books.budget(
                TestBooks.organisation, "other", [("generation", "g2"), ("steps", "10000:block")])
            desk.generations = ["g1", "g2"]
            let other = LeaseKey(generation: "g2", start: TestBooks.start)
            try await desk.tell("a", need: 100)
            try await desk.tell("a", other, need: 500)
            var hold = Desk.parked(1, at: desk.now + 10, 40)
            hold.parts.append(.init(key: other, amount: 400))
            try await desk.exchange("a", next: 2, opened: [1])
            try await desk.exchange("a", goodbye: true, next: 2, parked: [hold])
            desk.now += 10
            try await desk.exchange("b")
            let outcome = try await desk.ledger.settle(
                session: "a", number: 1,
                parts: [
                    SettlementPart(key: other, charge: 350, hold: 400),
                    SettlementPart(key: Desk.key, charge: 45, hold: 40),
                ], organisation: TestBooks.organisation)
            try await desk.check()
            #expect(outcome.outcome == .raised)
            #expect(try await desk.figures().spent == 45)
            #expect(try await desk.figures(other).spent == 400)
        }
    }

    @Test("A hold that its owner charged between parking it and goodbye is charged once")
    func parkedThenExpired() async throws {
        try await withOwner { desk async throws in
            try await desk.exchange("a", next: 2, parked: [Desk.parked(1, at: desk.now + 10, 40)], [desk.report("a")])
            desk.now += 10
            var report = desk.report("a")
            report.used = 40
            try await desk.exchange("a", goodbye: true, next: 2, expired: [1], [report])
            #expect(try await desk.row("a") == [100, 40, 60, 0])
            desk.now += 10_000
            try await desk.exchange("b")
            #expect(try await desk.row("a") == [100, 40, 60, 0])
            #expect(try await desk.settle("a", 1, charge: 45, hold: 40) == .booked)
            #expect(try await desk.figures().spent == 45)
        }
    }

    @Test("A session that dies between parking its holds and goodbye strands none of them, also when it comes back")
    func diedWhileClosing() async throws {
        try await withOwner { desk async throws in
            try await desk.exchange("a", next: 2, parked: [Desk.parked(1, at: desk.now + 100, 40)], [desk.report("a")])
            desk.now += 5000
            try await desk.exchange("b")
            let back = try await desk.exchange("a", goodbye: true, next: 2, [desk.report("a")])
            #expect(back.over && back.ended)
            #expect(try await desk.row("a") == [100, 0, 60, 40])
            desk.now += 10_000
            try await desk.exchange("b")
            #expect(try await desk.figures().inDoubt == 0)
        }
    }

    @Test("Goodbye of more than 512 leases takes several messages and strands none")
    func manyLeases() async throws {
        try await withDesk([("every", "minute"), ("periods", ""), ("steps", "10000:block")]) { desk async throws in
            let first = desk.now / 60_000 * 60 + 60
            desk.generations = []
            let keys = (0..<600).map { LeaseKey(generation: "g1", start: first + Int64($0) * 60) }
            for part in stride(from: 0, to: 600, by: 100) {
                let slice = keys[part..<part + 100]
                let answer = try await desk.exchange(
                    "a", slice.map { desk.report("a", $0) },
                    groups: [slice.prefix(60).map { Need(key: $0, amount: 7, level: 0, token: false) }])
                #expect(answer.groups == [.granted])
            }
            #expect(try await !desk.exchange("a", goodbye: true).ended)
            #expect(try await desk.exchange("a", goodbye: true).ended)
            for key in keys {
                let row = try await desk.row("a", key)
                #expect(row[0] == row[2])
            }
        }
    }

    @Test("What an ended session left behind is forgotten after some days, whatever its first message was")
    func forgotten() async throws {
        try await withDesk { desk async throws in
            #expect(try await desk.exchange("a", goodbye: true, [desk.report("a")]).ended)
            for name in ["session:a", "held:a"] {
                let life = try await desk.books.redis.send(["TTL", desk.books.key(name)]).int ?? -1
                #expect(life != -1, "\(name) stays for ever")
            }
        }
    }
}
