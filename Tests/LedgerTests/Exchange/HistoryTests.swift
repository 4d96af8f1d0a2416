// Redis forgets: what the books do when writes were lost, and what they must not do twice.

@testable import Ledger
@testable import QuotaCore
import RedisClient
import Testing

@Suite struct HistoryTests {
    @Test("A new run id begins a new history, remembers the fork, and grants nothing for one time to live")
    func runID() async throws {
        try await withDesk { desk async throws in
            let before = try await desk.tell("a", need: 100).answer
            desk.server = "b2"
            let after = try await desk.tell("a", want: 500, demand: 500, need: 10)
            #expect(after.answer.history != before.history && after.verdict == .recovering)
            #expect(after.lease.granted == 100 && after.answer.recoveringUntil == desk.now + 3000)
            #expect(try await desk.books.field("lineage", before.history) == String(before.seq))
            desk.now += 2999
            #expect(try await desk.tell("a", need: 10).verdict == .recovering)
            desk.now += 1
            #expect(try await desk.tell("a", need: 10).verdict == .granted)
            #expect(try await desk.events("history.started") == 1)
        }
    }

    @Test("While the books recover nodes keep the slices they have")
    func slackWhileRecovering() async throws {
        try await withDesk { desk async throws in
            try await desk.tell("a", need: 100, level: 0)
            desk.server = "b2"
            #expect(try await desk.tell("a", demand: 50).lease.slack > 0)
        }
    }

    @Test(
        "A node ahead of the books merges what it was granted, new run id or not",
        arguments: [true, false])
    func ahead(restarted: Bool) async throws {
        try await withDesk { desk async throws in
            try await desk.tell("a", need: 100)
            try await desk.books.save()
            try await desk.tell("a", used: 20, need: 80)
            try await desk.books.forget()
            if restarted { desk.server = "b2" }
            let answer = try await desk.tell("a", used: 150)
            #expect(answer.lease.granted == 180 && answer.lease.committed == 180)
            #expect(answer.answer.recoveringUntil == desk.now + 3000)
            // What it used counts when it has adopted the history, and tells the numbers of its reservations with it.
            #expect(try await desk.row("a") == [180, 0, 0, 0])
            try await desk.tell("a", used: 150)
            #expect(try await desk.row("a") == [180, 150, 0, 0])
            #expect(try await desk.books.field("meta", "anomalies") == nil)
        }
    }

    @Test("Nodes of the history that was lost come back one by one and begin no further one")
    func once() async throws {
        try await withDesk { desk async throws in
            for name in ["a", "b"] { try await desk.tell(name, need: 100) }
            try await desk.books.save()
            for name in ["a", "b"] { try await desk.tell(name, need: 50) }
            try await desk.books.forget()
            let first = try await desk.tell("a").answer
            desk.now += 1000
            let second = try await desk.tell("b")
            #expect(second.answer.history == first.history)
            #expect(second.answer.recoveringUntil == first.recoveringUntil)
            #expect(second.lease.granted == 150 && second.lease.committed == 300)
        }
    }

    @Test("A node of a history that the books never heard of is ahead, once")
    func unknownHistory() async throws {
        try await withDesk { desk async throws in
            var report = desk.report("a")
            report.granted = 70
            let first = try await desk.exchange("a", knowing: ("elsewhere", 5), [report])
            #expect(first.leases[0].granted == 70 && first.recoveringUntil > desk.now)
            desk.now += 100
            let second = try await desk.exchange("b", knowing: ("elsewhere", 9), [])
            #expect(second.history == first.history && second.recoveringUntil == first.recoveringUntil)
        }
    }

    @Test("A new history gives every session a fresh time to live, known or forgotten")
    func freshTime() async throws {
        try await withDesk { desk async throws in
            try await desk.tell("a", need: 100)
            desk.now += 2500
            desk.server = "b2"
            try await desk.exchange("b")
            desk.now += 2500
            #expect(try await desk.figures().leased == 100)
            #expect(try await desk.settle("a", 1, charge: 1, hold: 1) == .kept)
            #expect(try await desk.settle("forgotten", 1, charge: 1, hold: 1) == .kept)
            desk.now += 501
            #expect(try await desk.figures().inDoubt == 100)
        }
    }

    @Test("Every writing command notices that Redis forgot")
    func everyWriter() async throws {
        try await withDesk { desk async throws in
            desk.server = "b2"
            _ = try await desk.charge("c1", 5)
            #expect(try await desk.events("history.started") == 1)
            desk.server = "c3"
            _ = try await desk.settle("a", 1, charge: 5, hold: 5)
            #expect(try await desk.events("history.started") == 2)
            #expect(try await desk.tell("a", need: 5).verdict == .recovering)
        }
    }

    @Test("Versions that nodes saw before Redis forgot are not handed out again")
    func versions() async throws {
        try await withDesk { desk async throws in
            try await desk.books.save()
            try await desk.books.alter(("amount", "900"))
            let seen = try await desk.exchange("a").rulesVersion
            try await desk.books.forget()
            #expect(try await desk.exchange("a").rulesVersion > seen)
        }
    }

    @Test("A settlement, a goodbye and a charge that Redis forgot are told again and count once")
    func retold() async throws {
        try await withDesk { desk async throws in
            try await desk.tell("a", need: 100)
            try await desk.exchange("a", next: 2, opened: [1], [desk.report("a")])
            try await desk.books.save()
            for round in 0..<2 {
                desk.now += 10
                if round == 1 {
                    try await desk.books.forget()
                    desk.server = "b2"
                }
                // On books that forgot, a goodbye counts only once its node has adopted the new history.
                for time in 0...round {
                    let answer = try await desk.exchange(
                        "a", goodbye: true, next: 2, opened: [1], parked: [Desk.parked(1, at: desk.now + 60_000, 40)],
                        [desk.report("a")])
                    #expect(answer.ended == (time == round))
                }
                #expect(try await desk.settle("a", 1, charge: 30, hold: 40) == .booked)
                #expect(try await desk.charge("c", 7))
                #expect(try await !desk.charge("c", 7))
                #expect(try await desk.row("a") == [100, 0, 70, 30])
                #expect(try await desk.figures().spent == 37)
            }
        }
    }
}
