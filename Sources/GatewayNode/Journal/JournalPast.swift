// What the journals of earlier lives say, session by session.

import Foundation
import Ledger
import QuotaCore

/// The sessions of lives that did not end in order.
package struct JournalPast: Sendable {
    package struct Name: Sendable, Hashable {
        package var organisation: String
        package var session: String
    }
    package struct Session: Sendable {
        /// By number; also of reservations that were settled.
        package var holds: [Int64: ParkedHold] = [:]
        package var settled: [Int64: [SettlementPart]] = [:]
        /// What it used is not known to the last: it had proxies' leases.
        package var isPiecewise = false
        /// Ledger time of the last record, ms.
        package var lastTime: Int64 = 0
    }
    package private(set) var sessions: [Name: Session] = [:]
    /// Whether the files tell all that was acknowledged. If not, what they do not name stays in doubt.
    package private(set) var isComplete = true
    package private(set) var files: [String] = []

    /// - Throws: `.unknownVersion`, `.system`.
    init(folder: String) throws(JournalError) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        for name in names.sorted() where name.hasSuffix(".journal") {
            let path = "\(folder)/\(name)"
            let contents = try JournalSegment.read(path)
            isComplete = isComplete && contents.isComplete
            files.append(path)
            for record in contents.records { take(record) }
        }
    }

    private mutating func take(_ record: JournalRecord) {
        let name = Name(organisation: record.organisation, session: record.session)
        var session = sessions[name] ?? Session()
        switch record.event {
        case .held(let hold):
            // Files are read in no order of time; but a hold only grows, in time and in amounts.
            func size(_ hold: ParkedHold) -> (Int64, Int64) {
                (hold.expiresAt, hold.parts.reduce(0) { $0 &+ $1.amount })
            }
            if let known = session.holds[hold.number], size(known) > size(hold) { break }
            session.holds[hold.number] = hold
        case .settled(let number, let parts): session.settled[number] = parts
        case .piecewise: session.isPiecewise = true
        }
        session.lastTime = max(session.lastTime, record.time)
        sessions[name] = session
    }
}
