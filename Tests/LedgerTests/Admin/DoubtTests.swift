// doubt_list and doubt_resolve: what the dead may have spent, what is decided about it, and what still comes afterwards.

import RedisClient
import Testing

@testable import Ledger
@testable import QuotaCore

@Suite("Doubt", .timeLimit(.minutes(1)))
struct DoubtTests {
    private static let id = DoubtID(key: Desk.key, session: "n~a")

    /// The session `n~a` has died with 100 granted, of which 20 were used and the reservations 1 and 2 held 40 each.
    private func withDead(
        _ fields: [(String, String)] = [("steps", "10000:block")], _ body: (Desk) async throws -> Void
    ) async throws {
        try await withDesk(fields) { desk async throws in
            try await desk.tell("n~a", need: 100)
            try await desk.tell("n~a", used: 20)
            try await desk.exchange("n~a", next: 3, opened: [1, 2], [desk.report("n~a")])
            desk.now += 3001
            try await body(desk)
        }
    }

    @discardableResult
    private func resolve(
        _ desk: Desk, _ resolution: DoubtResolution?, _ amount: Int64? = nil, id: DoubtID = Self.id,
        change: Change? = nil
    ) async throws(LedgerError) -> Written {
        try await desk.ledger.resolveDoubt(
            id, resolution, amount: amount, change: change ?? desk.books.change(), organisation: TestBooks.organisation)
    }

    @Test("What a dead session held is listed with its node, its last message, its budget and its period")
    func listed() async throws {
        try await withDead { desk async throws in
            let row = try #require(try await desk.ledger.doubts(organisation: TestBooks.organisation).items.first)
            #expect(row.id == Self.id)
            #expect([row.amount, row.resolvable, row.seenAt] == [80, 80, desk.now - 3001])
            #expect(
                [row.node, row.account, row.budget, row.unit, row.periodID] == [
                    "n", "acme", "monthly", "tokens", "m100",
                ])
            #expect(row.end == TestBooks.start + TestBooks.length)
            #expect(DoubtID(row.id.description) == row.id)
        }
    }

    @Test("What a session that lives holds is not listed and cannot be resolved")
    func alive() async throws {
        try await withDead { desk async throws in
            desk.now -= 2
            try await desk.exchange("n~a", next: 3)
            #expect(try await desk.ledger.doubts(organisation: TestBooks.organisation).items.isEmpty)
            let code = await refusal { () throws(LedgerError) in try await resolve(desk, .release) }
            #expect(code == .conflict)
            #expect(try await desk.row("n~a") == [100, 20, 0, 0])
        }
    }

    @Test("The list comes in pages that have everything once", arguments: [1, 3, 1000])
    func pages(_ limit: Int) async throws {
        try await withDesk { desk async throws in
            let later = LeaseKey(generation: "g1", start: TestBooks.start(of: 1))
            for index in 0..<7 {
                try await desk.tell("n~\(index)", need: 10)
                try await desk.tell("n~\(index)", later, need: 5)
            }
            desk.now += 3001
            var found: [DoubtID] = []
            var cursor: String?
            repeat {
                let page = try await desk.ledger.doubts(
                    after: cursor, limit: limit, organisation: TestBooks.organisation)
                #expect(page.items.count <= limit)
                found += page.items.map(\.id)
                cursor = page.next
            } while cursor != nil
            #expect(found.count == 14 && Set(found).count == 14)
        }
    }

    @Test("Charged, it counts as spent; released, it can be granted again", arguments: DoubtResolution.allCases)
    func resolved(_ resolution: DoubtResolution) async throws {
        try await withDead { desk async throws in
            let before = try await desk.figures()
            try await resolve(desk, resolution)
            try await desk.check()
            let after = try await desk.figures()
            #expect(before.inDoubt == 80 && after.inDoubt == 0)
            #expect(after.spent - before.spent == (resolution == .charge ? 80 : 0))
            #expect(after.available - before.available == (resolution == .charge ? 0 : 80))
            #expect(try await desk.ledger.doubts(organisation: TestBooks.organisation).items.isEmpty)
            let code = await refusal { () throws(LedgerError) in try await resolve(desk, resolution) }
            #expect(code == .conflict)
        }
    }

    @Test("A part leaves the rest in doubt, and more than is in doubt is refused")
    func part() async throws {
        try await withDead { desk async throws in
            try await resolve(desk, .charge, 30)
            try await resolve(desk, .release, 10)
            #expect(try await desk.row("n~a") == [100, 20, 10, 30])
            #expect(try await desk.figures().inDoubt == 40)
            for amount in [41, 0, -1] as [Int64] {
                let code = await refusal { () throws(LedgerError) in try await resolve(desk, .charge, amount) }
                #expect(code == (amount > 0 ? .conflict : .invalid(pointer: "/amount")))
            }
            #expect(try await desk.figures().inDoubt == 40)
            try await desk.check()
        }
    }

    @Test("Without a decision the budget's rule for abandoned reservations holds", arguments: ["charge", "release"])
    func byRule(_ rule: String) async throws {
        try await withDead([("steps", "10000:block"), ("abandoned", rule)]) { desk async throws in
            try await resolve(desk, nil)
            #expect(try await desk.row("n~a") == (rule == "charge" ? [100, 20, 0, 80] : [100, 20, 80, 0]))
        }
    }

    @Test("What does not exist cannot be resolved")
    func unknown() async throws {
        try await withDead { desk async throws in
            let other = DoubtID(key: Desk.key, session: "ghost")
            let code = await refusal { () throws(LedgerError) in try await resolve(desk, .charge, id: other) }
            #expect(code == .notFound)
            #expect(try await desk.ledger.doubt(other, organisation: TestBooks.organisation) == nil)
        }
    }

    @Test("A late commit uses up what was charged in its place, and only what is more is charged anew")
    func lateAfterCharge() async throws {
        try await withDead { desk async throws in
            try await resolve(desk, .charge, 50)
            #expect(try await desk.settle("n~a", 1, charge: 35, hold: 40) == .booked)
            #expect(try await desk.settle("n~a", 1, charge: 35, hold: 40) == .repeat)
            #expect(try await desk.row("n~a") == [100, 20, 0, 50])
            #expect(try await desk.settle("n~a", 2, charge: 40, hold: 40) == .booked)
            #expect(try await desk.row("n~a") == [100, 20, 0, 75])
            #expect(try await desk.figures().spent == 95)
        }
    }

    @Test("A late commit above its hold, after a charge, takes nothing from what other reservations hold")
    func overrunAfterCharge() async throws {
        try await withDead { desk async throws in
            try await resolve(desk, .charge, 50)
            #expect(try await desk.settle("n~a", 1, charge: 70, hold: 40) == .booked)
            #expect(try await desk.row("n~a") == [120, 20, 0, 70])
            #expect(try await desk.settle("n~a", 2, charge: 30, hold: 40) == .booked)
            #expect(try await desk.figures().spent == 120)
        }
    }

    @Test("A late commit after a release is booked as an overrun")
    func lateAfterRelease() async throws {
        try await withDead { desk async throws in
            try await resolve(desk, .release)
            #expect(try await desk.settle("n~a", 1, charge: 35, hold: 40) == .booked)
            #expect(try await desk.row("n~a") == [135, 20, 80, 35])
            #expect(try await desk.figures().spent == 55)
        }
    }

    @Test(
        "The owner's own figures take the place of a charge when it comes back, and it is over",
        arguments: [false, true])
    func ownerReturns(_ settled: Bool) async throws {
        try await withDead { desk async throws in
            try await resolve(desk, .charge)
            if settled { #expect(try await desk.settle("n~a", 1, charge: 35, hold: 40) == .booked) }
            #expect(try await desk.row("n~a") == [100, 20, 0, 80])
            // It had counted both reservations itself: 35 and 25.
            var report = desk.report("n~a")
            report.used = 80
            let back = try await desk.exchange("n~a", next: 3, closed: [1, 2], [report], groups: [])
            #expect(back.over)
            #expect(try await desk.row("n~a") == [100, 80, 0, 0])
            try await desk.exchange("n~a", goodbye: true, next: 3, [report])
            #expect(try await desk.row("n~a") == [100, 80, 20, 0])
            #expect(try await desk.figures().spent == 80)
        }
    }

    @Test("Goodbye replaces a charge also in leases that it does not name")
    func goodbye() async throws {
        try await withDead { desk async throws in
            try await resolve(desk, .charge)
            try await desk.exchange("n~a", goodbye: true, next: 3, closed: [1, 2])
            #expect(try await desk.row("n~a") == [100, 20, 80, 0])
        }
    }

    @Test("Commits that wait for a dead owner are booked first, and are no doubt to resolve")
    func inboxFirst() async throws {
        try await withDead { desk async throws in
            desk.now -= 100
            #expect(try await desk.settle("n~a", 1, charge: 35, hold: 40) == .kept)
            desk.now += 100
            let row = try #require(try await desk.ledger.doubt(Self.id, organisation: TestBooks.organisation))
            #expect([row.amount, row.resolvable] == [80, 45])
            try await resolve(desk, .release)
            #expect(try await desk.row("n~a") == [100, 20, 45, 35])
            try await desk.check()
        }
    }

    @Test("Holds that a goodbye left end by their own rule and are not resolved by hand")
    func parked() async throws {
        try await withDesk { desk async throws in
            try await desk.tell("n~a", need: 100)
            try await desk.exchange("n~a", next: 2, opened: [1])
            let hold = Desk.parked(1, at: desk.now + 60_000, 40)
            try await desk.exchange("n~a", goodbye: true, next: 2, parked: [hold], [desk.report("n~a")])
            let row = try #require(try await desk.ledger.doubts(organisation: TestBooks.organisation).items.first)
            #expect([row.amount, row.resolvable] == [40, 0])
            let code = await refusal { () throws(LedgerError) in try await resolve(desk, .charge) }
            #expect(code == .conflict)
            desk.now += 60_000
            try await desk.exchange("b")
            #expect(try await desk.row("n~a") == [100, 0, 60, 40])
        }
    }

    @Test("A repeat of the same change resolves nothing more")
    func repeated() async throws {
        try await withDead { desk async throws in
            let change = desk.books.change("resolve-1")
            let first = try await resolve(desk, .charge, 30, change: change)
            let second = try await resolve(desk, .charge, 30, change: change)
            #expect(second == Written(version: first.version, replayed: true))
            #expect(try await desk.row("n~a") == [100, 20, 0, 30])
        }
    }

    @Test("While a new history lets every session live on, nothing is resolved")
    func newHistory() async throws {
        try await withDead { desk async throws in
            desk.server = "b2"
            let code = await refusal { () throws(LedgerError) in try await resolve(desk, .release) }
            #expect(code == .conflict)
            #expect(try await desk.row("n~a") == [100, 20, 0, 0])
        }
    }
}
