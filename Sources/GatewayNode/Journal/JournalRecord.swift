// What the journal says about one reservation, and its form on disk: a length, a checksum, the compact coding of ids.

import Ledger
import QuotaCore

/// One line of the journal.
package struct JournalRecord: Sendable, Hashable {
    package enum Event: Sendable, Hashable {
        /// The reservation is open with this hold; replaces what was said of it before.
        case held(ParkedHold)
        /// It was committed, or released (charges of 0): the owner acknowledged it.
        case settled(number: Int64, [SettlementPart])
        /// A proxy's lease, charged piece by piece: what it used is not in the journal.
        case piecewise(number: Int64)
    }
    package var organisation: String
    package var session: String
    /// Ledger time, ms.
    package var time: Int64
    package var event: Event

    package init(organisation: String, session: String, time: Int64, _ event: Event) {
        self.organisation = organisation
        self.session = session
        self.time = time
        self.event = event
    }

    /// Without length and checksum.
    var payload: [UInt8] {
        var writer = ByteWriter()
        switch event {
        case .held(let hold):
            head(&writer, 1, hold.number)
            writer.write(hold.expiresAt)
            writer.write(Int64(hold.charges ? 1 : 0))
            writer.write(Int64(hold.parts.count))
            for part in hold.parts {
                writer.write(part.key.generation)
                writer.write(part.key.start)
                writer.write(part.amount)
            }
        case .settled(let number, let parts):
            head(&writer, 2, number)
            writer.write(Int64(parts.count))
            for part in parts {
                writer.write(part.key.generation)
                writer.write(part.key.start)
                writer.write(part.charge)
                writer.write(part.hold)
            }
        case .piecewise(let number): head(&writer, 3, number)
        }
        return writer.bytes
    }

    private func head(_ writer: inout ByteWriter, _ kind: Int64, _ number: Int64) {
        writer.write(kind)
        writer.write(organisation)
        writer.write(session)
        writer.write(time)
        writer.write(number)
    }

    /// Nil for anything that `payload` did not write.
    init?(payload: [UInt8]) {
        var reader = ByteReader(payload)
        guard let kind = reader.integer(), let organisation = reader.text(), let session = reader.text(),
            let time = reader.integer(), let number = reader.integer(), let event = Self.event(kind, number, &reader)
        else { return nil }
        self.init(organisation: organisation, session: session, time: time, event)
    }

    private static func event(_ kind: Int64, _ number: Int64, _ reader: inout ByteReader) -> Event? {
        switch kind {
        case 1:
            guard let expires = reader.integer(), let charges = reader.integer(), let count = reader.count() else {
                return nil
            }
            var parts: [ParkedHold.Part] = []
            for _ in 0..<count {
                guard let key = key(&reader), let amount = reader.integer() else { return nil }
                parts.append(ParkedHold.Part(key: key, amount: amount))
            }
            return .held(ParkedHold(number: number, expiresAt: expires, charges: charges == 1, parts: parts))
        case 2:
            guard let count = reader.count() else { return nil }
            var parts: [SettlementPart] = []
            for _ in 0..<count {
                guard let key = key(&reader), let charge = reader.integer(), let hold = reader.integer() else {
                    return nil
                }
                parts.append(SettlementPart(key: key, charge: charge, hold: hold))
            }
            return .settled(number: number, parts)
        case 3: return .piecewise(number: number)
        default: return nil
        }
    }

    private static func key(_ reader: inout ByteReader) -> LeaseKey? {
        guard let generation = reader.text(), let start = reader.integer() else { return nil }
        return LeaseKey(generation: generation, start: start)
    }

    /// FNV-1a, 32 bits: tells records that were not written to their end.
    static func checksum(_ bytes: some Sequence<UInt8>) -> UInt32 {
        bytes.reduce(2_166_136_261) { ($0 ^ UInt32($1)) &* 16_777_619 }
    }
}

/// Why a journal cannot be used.
package struct JournalError: Error, Sendable, CustomStringConvertible {
    package enum Code: Sendable, Hashable {
        /// Another process uses the folder.
        case locked
        /// A file of a version that this one does not know.
        case unknownVersion
        /// The system refused.
        case system
    }
    package var code: Code
    package var message: String
    package var description: String { message }

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}
