// A node whose session the ledger has ended goes on with another, which knows no less.

import Ledger
import QuotaCore
import Synchronization
import Testing

@testable import GatewayNode

@Suite("A new session of a node")
struct NewSessionTests {
    @Test("keeps the ledger's time that it was told, until an answer tells it anew")
    func keepsTime() {
        let table = ReservationTable()
        let handle = SessionHandle(id: "s", table: table, leftover: Leftover(alarm: Alarm()))
        handle.ledgerOffset.store(1_000, ordering: .relaxed)
        // As when the session's first message is made.
        handle.follow(SessionMachine(id: "s", table: table, timing: SessionTiming()))
        #expect(handle.ledgerTime(5) == 1_005)
        #expect(!handle.isFresh(5, bound: 1_000_000))
    }

    @Test("admits reservations of the present, and any node commits them")
    func presentReservations() async throws {
        let budget = Fleet.Budget(account: "search", amount: 1_000_000)
        try await withFleet(nodes: 2, budgets: [budget]) { fleet in
            let (one, two) = (try await fleet.node(0), try await fleet.node(1))
            _ = try await two.tokens(1).get()
            for _ in 0..<20 {
                let before = one.nowMilliseconds()
                // So that the old one says goodbye.
                one.state.withLock { $0.machine.close(now: one.clock.now()) }
                one.startNewSession()
                // They wait for the first grant of the new session.
                let ids = try await withThrowingTaskGroup { group in
                    for _ in 0..<8 { group.addTask { try await one.tokens(10).get() } }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                for id in ids {
                    let token = try #require(one.open(reservation: id))
                    #expect(token.reservedAt >= before - 1000)
                    guard case .committed = await two.commit(id, .amounts(tokens: 7, usd: nil, requests: nil)) else {
                        Issue.record("not committed")
                        return
                    }
                }
            }
        }
    }
}
