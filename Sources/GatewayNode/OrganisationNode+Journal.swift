// What an organisation's node writes to the journal: holds before they are answered, settlements before they are.

import Ledger
import QuotaCore
import Synchronization

extension OrganisationNode {
    /// Writes down what a reservation holds now.
    func journalHold(_ number: Int64, of session: SessionHandle) {
        guard let journal, let hold = session.table.openHold(number) else { return }
        note(.held(hold), session.id, journal)
    }

    /// Writes down that a reservation of this session was settled.
    func journalSettled(_ token: ReservationToken, _ actual: Amounts?, of session: SessionHandle) {
        guard let journal else { return }
        let parts = Self.parts(token, actual)
        if !parts.isEmpty { note(.settled(number: token.number, parts), session.id, journal) }
    }

    /// Writes down that a reservation is charged piece by piece.
    func journalPiecewise(_ token: ReservationToken) {
        if let journal { note(.piecewise(number: token.number), token.session, journal) }
    }

    private func note(_ event: JournalRecord.Event, _ session: String, _ journal: Journal) {
        journal.append(
            JournalRecord(organisation: organisation, session: session, time: nowMilliseconds(), event))
    }

    /// All that is open, to be written again.
    var openRecords: [JournalRecord] {
        let session = session
        let time = nowMilliseconds()
        let pieces = subLeases.withLock { Array($0.keys) }
        let past = state.withLock { $0.past.map { ($0.id, $0.table) } }
        func held(_ id: String, _ table: ReservationTable) -> [JournalRecord] {
            table.openHolds().map {
                JournalRecord(organisation: organisation, session: id, time: time, .held($0))
            }
        }
        return held(session.id, session.table) + past.flatMap { held($0.0, $0.1) }
            + pieces.map {
                JournalRecord(
                    organisation: organisation, session: $0.session, time: time, .piecewise(number: $0.number))
            }
    }

    /// Whether the ledger has been told all that happened before a time of the node's clock.
    func hasTold(_ time: Int64) -> Bool {
        session.answeredAt.load(ordering: .relaxed) > time && state.withLock { $0.past.isEmpty }
    }

    /// What a settlement charges each lease, in book units; `actual` nil releases.
    static func parts(_ token: ReservationToken, _ actual: Amounts?) -> [SettlementPart] {
        let amounts = actual ?? .zero
        return token.holds.map { hold in
            let scale = hold.unit.nodeScale
            return SettlementPart(
                key: LeaseKey(generation: hold.generation, start: hold.periodStart),
                charge: (amounts[hold.unit] + scale - 1) / scale, hold: (hold.amount + scale - 1) / scale)
        }
    }
}
