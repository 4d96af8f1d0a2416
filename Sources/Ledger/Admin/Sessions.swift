// The sessions of nodes as people look at them, and the reservations open in one.

import RedisClient

extension LedgerScript {
    static let sessionsList = assemble("sessions_list", PackageResources.sessions_list_lua)
    static let reservationsList = assemble("reservations_list", PackageResources.reservations_list_lua)
}

/// A session as the books have it. Times in ms since 1970.
package struct SessionRow: Sendable, Hashable {
    package var id: String
    package var node: String
    /// Address at which other nodes reach it; empty when they cannot.
    package var advertise: String
    /// End of its time to live, but see ``SessionList/recoveringUntil``.
    package var expires: Int64
    /// Ended for good by the ledger.
    package var over: Bool
    /// It said goodbye.
    package var final: Bool
    /// Version of the rules that it has acknowledged.
    package var version: Int64
    package var startedAt: Int64
    package var seenAt: Int64
    package var leases: Int64
    package var openReservations: Int64

    init(_ text: [String]) {
        func number(_ index: Int) -> Int64 { Int64(text[index]) ?? 0 }
        id = text[0]
        node = text[1]
        advertise = text[2]
        expires = number(3)
        over = text[4] == "1"
        final = text[5] == "1"
        version = number(6)
        startedAt = number(7)
        seenAt = number(8)
        leases = number(9)
        openReservations = number(10)
    }
}

/// A page of the sessions, the latest to expire first.
package struct SessionList: Sendable, Hashable {
    package var now: Int64
    /// No session expires before this time, whatever its own says.
    package var recoveringUntil: Int64
    /// Of all pages.
    package var count: Int64
    package var sessions: [SessionRow]

    /// Whether a session may still be granted something.
    package func isAlive(_ session: SessionRow) -> Bool {
        !session.over && !session.final && max(session.expires, recoveringUntil) >= now
    }
}

extension Ledger {
    /// Sessions move between pages as they renew; what must be complete is asked for in one page of at most 1000.
    package func sessions(
        skipping skipped: Int = 0, limit: Int = 1000, organisation: String
    ) async throws(LedgerError) -> SessionList {
        let reply = try await run(
            LedgerScript.sessionsList, organisation: organisation, [String(skipped), String(limit)])
        guard let list = reply.array, list.count == 4, let now = list[0].int, let recovering = list[1].int,
            let count = list[2].int, let rows = list[3].rows(of: 11, SessionRow.init)
        else { throw LedgerError.unexpected("sessions_list", reply) }
        return SessionList(now: now, recoveringUntil: recovering, count: count, sessions: rows)
    }

    /// A page of the reservation numbers that were open at a session's last report. Numbers that close or open meanwhile
    /// may be missing or come twice.
    package func openReservations(
        session: String, after cursor: String? = nil, limit: Int = 500, organisation: String
    ) async throws(LedgerError) -> LedgerPage<Int64> {
        let reply = try await run(
            LedgerScript.reservationsList, organisation: organisation, [session, cursor ?? "0", String(limit)])
        guard let list = reply.array, list.count == 2, let next = list[0].string, let numbers = list[1].array else {
            throw LedgerError.unexpected("reservations_list", reply)
        }
        return LedgerPage(items: numbers.compactMap(\.int), next: next == "0" ? nil : next)
    }
}
