// Periods ahead: the arithmetic, and the service that stores them.

import HTTPTypes
import Ledger
import Logging
import QuotaCore
import Testing

@testable import Console

@Suite("Periods ahead")
struct PeriodKeeperTests {
    /// 2026-11-24T12:00:00Z
    private static let now: Int64 = 1_795_521_600

    private static func isContiguous(_ periods: [Period]) -> Bool {
        zip(periods, periods.dropFirst()).allSatisfy { $0.end == $1.start && $0.id < $1.id && $1.start < $1.end }
    }

    @Test(
        "Nothing is missing with twelve ahead; with eleven, enough for sixteen are added without a gap",
        arguments: [PeriodLength.day, .week, .month, .quarter, .year])
    func missing(_ every: PeriodLength) throws {
        let rule = try PeriodRule(every: every, timezone: "Europe/Berlin")
        let all = rule.upcoming(from: Self.now, count: 40)
        #expect(PeriodPlan.missing(Array(all.prefix(13)), rule, now: Self.now).isEmpty)
        let stored = Array(all.prefix(12))
        let added = PeriodPlan.missing(stored, rule, now: Self.now)
        #expect(stored + added == Array(all.prefix(17)))
    }

    @Test("After a long pause the periods in between are made up for, at most 300 at a time")
    func pause() throws {
        let rule = try PeriodRule(every: .day)
        let stored = rule.upcoming(from: Self.now - 400 * 86_400, count: 16)
        let first = PeriodPlan.missing(stored, rule, now: Self.now)
        #expect(first.count == 300 && Self.isContiguous(stored + first))
        let second = PeriodPlan.missing(stored + first, rule, now: Self.now)
        #expect(Self.isContiguous(stored + first + second))
        #expect(PeriodPlan.ahead(stored + first + second, now: Self.now) == 16)
    }

    @Test(
        "A rule that would begin a period anew keeps ids apart and leaves no gap",
        arguments: [1, 2, 15, 28, 31])
    func changed(_ day: Int) throws {
        let old = try PeriodRule(every: .month, timezone: "America/New_York")
        let new = try PeriodRule(every: .month, timezone: "Asia/Tokyo", startsOnDay: day)
        let stored = old.upcoming(from: Self.now, count: 16)
        let planned = PeriodPlan.changed(stored, to: new, bound: Self.now)
        #expect(planned.first == stored.first && planned.count == 16 && Self.isContiguous(planned))
        #expect(PeriodPlan.parse(BudgetRecord.ledgerText(planned, every: .month)) == planned)
        #expect(planned.dropFirst(2).allSatisfy { new.period(containing: $0.start) == $0 })
    }

    @Test("Two keepers at once store the periods that are missing once")
    func keeps() async throws {
        try await LiveConsole.run { console in
            try await console.tree()
            let all = PeriodPlan.parse(
                try await console.ledger.budget(account: "engineering", name: "monthly", organisation: "default")
                    .periods)
            let few = BudgetRecord.ledgerText(Array(all.prefix(3)), every: .month)
            _ = try await console.ledger.putBudget(
                account: "engineering", name: "monthly", fields: [("periods", few)], change: Change(actor: "test"),
                organisation: "default")
            let keeper = PeriodKeeper(ledger: console.ledger, logger: Logger(label: "test"))
            async let one: Void = keeper.round()
            async let other: Void = keeper.round()
            _ = await (one, other)
            let kept = PeriodPlan.parse(
                try await console.ledger.budget(account: "engineering", name: "monthly", organisation: "default")
                    .periods)
            #expect(Array(kept.prefix(16)) == all && PeriodPlan.ahead(kept, now: all[0].start) == 16)
            #expect(try await console.get("/api/v1/audit?kind=periods.extended").items.count == 1)
            await keeper.round()
            #expect(try await console.get("/api/v1/audit?kind=periods.extended").items.count == 1)
        }
    }

    @Test("Two keepers at once close a period once")
    func closes() async throws {
        try await LiveConsole.run { console in
            try await console.tree()
            try await console.put(
                "/api/v1/accounts/engineering/budgets/minutely",
                #"{"unit":"tokens","amount":100,"period":{"every":"minute"}}"#, .created)
            let row = try await console.ledger.budget(
                account: "engineering", name: "minutely", organisation: "default")
            let start = (try await console.ledger.organisation("default").now / 1000 - 7200) / 60 * 60
            _ = try await console.ledger.charge(
                id: "c1",
                parts: [
                    SettlementPart(key: LeaseKey(generation: row.generation, start: start), charge: 40, hold: 0)
                ], organisation: "default")
            let keeper = PeriodKeeper(ledger: console.ledger, logger: Logger(label: "test"))
            async let one: Void = keeper.round()
            async let other: Void = keeper.round()
            _ = await (one, other)
            let statement = try await console.ledger.statement(
                generation: row.generation, start: start, organisation: "default")
            #expect(statement?.spent == 40)
            #expect(try await console.get("/api/v1/audit?kind=period.closed").items.count == 1)
        }
    }
}
