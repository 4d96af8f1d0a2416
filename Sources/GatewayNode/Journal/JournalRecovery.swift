// Tells the ledger what an earlier life of this node's journal knew: commits that it acknowledged, and, where the journal
// tells all, which reservations were open; the rest of what that life held goes back, as with a goodbye.

import Ledger
import Logging
import QuotaCore
import RedisClient

struct JournalRecovery: Sendable {
    private static let goodbyes = 1000

    let ledger: Ledger
    let past: JournalPast
    /// How long the ledger remembers which reservations a session has counted itself, ms.
    let settlementTime: Int64
    let logger: Logger

    /// Tells about one session. A repeat changes nothing.
    ///
    /// - Returns: how many commits and releases the ledger did not know.
    func tell(_ name: JournalPast.Name) async throws(LedgerError) -> Int64 {
        guard let session = past.sessions[name] else { return 0 }
        let now: Int64
        do {
            now = try await ledger.organisation(name.organisation).now
        } catch {
            if error.code == .noOrganisation { return 0 }
            throw error
        }
        guard now - session.lastTime <= settlementTime else {
            logger.error("journal too old to be told", metadata: ["session": "\(name.session)"])
            return 0
        }
        let (last, isOpen) = try await reported(name)
        var count: Int64 = 0
        for (number, parts) in session.settled.sorted(by: { $0.key < $1.key }) where isOpen(number) {
            let outcome = try await ledger.settle(
                session: name.session, number: number, parts: parts, organisation: name.organisation
            ).outcome
            if outcome == .kept || outcome == .booked { count += 1 }
        }
        // A session without a message was granted nothing.
        guard past.isComplete, !session.isPiecewise, let last else { return count }
        let holds = session.holds.values.filter { session.settled[$0.number] == nil && isOpen($0.number) }
            .sorted { $0.number < $1.number }
        try await sayGoodbye(name, after: last, holding: holds)
        return count
    }

    /// The number of the last message, nil when there was none, and which reservations the owner has not counted itself.
    private func reported(
        _ name: JournalPast.Name
    ) async throws(LedgerError) -> (last: Int64?, isOpen: @Sendable (Int64) -> Bool) {
        let prefix = Ledger.prefix(name.organisation)
        do {
            let head = try await ledger.redis.send(["HMGET", "\(prefix)session:\(name.session)", "n", "next"]).array
            let open = try await ledger.redis.send(["SMEMBERS", "\(prefix)open:\(name.session)"]).array ?? []
            func number(_ index: Int) -> Int64? {
                guard let head, head.count == 2, let text = head[index].string else { return nil }
                return Int64(text)
            }
            let next = number(1) ?? 0
            let numbers = Set(open.compactMap { $0.string.flatMap { Int64($0) } })
            return (number(0), { $0 >= next || numbers.contains($0) })
        } catch {
            throw LedgerError(.unavailable, "\(error)", cause: error)
        }
    }

    /// Parks the open holds and returns the rest, in the dead session's name.
    private func sayGoodbye(
        _ name: JournalPast.Name, after last: Int64, holding holds: [ParkedHold]
    ) async throws(LedgerError) {
        // Beyond whatever of the dead process is still on its way.
        var number = last + 1_000_000
        func message(_ parked: ArraySlice<ParkedHold>, goodbye: Bool) -> ExchangeMessage {
            number += 1
            return ExchangeMessage(
                session: name.session, number: number, history: "", seq: 0, rulesVersion: 0, goodbye: goodbye, next: 0,
                opened: parked.map(\.number), closed: [], expired: [], parked: Array(parked), leases: [], groups: [])
        }
        let node = String(name.session.prefix { $0 != "~" })
        let origin = Ledger.Origin(node: node, advertise: "")
        var rest = holds[...]
        while !rest.isEmpty {
            _ = try await ledger.exchange(
                message(rest.prefix(ExchangeMessage.maximumParked), goodbye: false), origin: origin,
                organisation: name.organisation)
            rest = rest.dropFirst(ExchangeMessage.maximumParked)
        }
        for _ in 0..<Self.goodbyes {
            let answer = try await ledger.exchange(
                message([], goodbye: true), origin: origin, organisation: name.organisation)
            if answer.ended { return }
        }
    }
}
