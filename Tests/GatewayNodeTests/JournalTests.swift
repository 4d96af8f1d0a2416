// The journal: what is read again, what a torn or foreign file does, how files come and go.

import Foundation
import Ledger
import QuotaCore
import Testing

@testable import GatewayNode

@Suite("Journal")
struct JournalTests {
    private static let key = LeaseKey(generation: "g1", start: 1_800_000_000)
    private static let name = JournalPast.Name(organisation: "default", session: "n0~a")

    private static func held(_ number: Int64, _ amount: Int64 = 10, until expiry: Int64 = 5000) -> JournalRecord {
        JournalRecord(
            organisation: name.organisation, session: name.session, time: 1000,
            .held(
                ParkedHold(
                    number: number, expiresAt: expiry, charges: true, parts: [.init(key: key, amount: amount)])))
    }

    private static func settled(_ number: Int64, _ charge: Int64 = 7) -> JournalRecord {
        JournalRecord(
            organisation: name.organisation, session: name.session, time: 2000,
            .settled(number: number, [SettlementPart(key: key, charge: charge, hold: 10)]))
    }

    private func withFolder(_ body: (String) throws -> Void) throws {
        let folder = "/tmp/bursar-journal-\(UInt64.random(in: 0 ... .max))"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(folder)
    }

    /// Writes as a process does that is then killed.
    private func live(_ folder: String, _ limits: Journal.Limits = .init(), _ body: (Journal) throws -> Void) throws {
        try body(try Journal(folder: folder, limits: limits))
    }

    private func files(_ folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".journal") }
            .map { "\(folder)/\($0)" }
    }

    /// Changes the only file of a folder.
    private func change(_ folder: String, _ body: (inout [UInt8]) throws -> Void) throws {
        let path = try #require(try files(folder).first)
        var bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
        try body(&bytes)
        try Data(bytes).write(to: URL(filePath: path))
    }

    private func place(of record: JournalRecord, in bytes: [UInt8]) throws -> Int {
        try #require(Data(bytes).firstRange(of: Data(record.payload))?.lowerBound)
    }

    @Test("What was appended is there in the next life, by session, and complete")
    func nextLife() throws {
        try withFolder { folder in
            try live(folder) { journal in
                for number in 1...3 as ClosedRange<Int64> { journal.append(Self.held(number)) }
                journal.append(Self.settled(2))
            }
            let past = try Journal(folder: folder).past
            let session = try #require(past.sessions[Self.name])
            #expect(past.isComplete)
            #expect(session.holds.keys.sorted() == [1, 2, 3])
            #expect(session.settled == [2: [SettlementPart(key: Self.key, charge: 7, hold: 10)]])
            #expect(session.lastTime == 2000 && !session.isPiecewise)
        }
    }

    @Test("A hold is what it has grown to, in whatever order the files are read", arguments: [[10, 25], [25, 10]])
    func grown(_ amounts: [Int64]) throws {
        try withFolder { folder in
            try live(folder) { journal in
                for amount in amounts { journal.append(Self.held(1, amount)) }
            }
            #expect(try Journal(folder: folder).past.sessions[Self.name]?.holds[1]?.parts.first?.amount == 25)
        }
    }

    @Test("A folder that another process uses is refused")
    func locked() throws {
        try withFolder { folder in
            try live(folder) { _ in
                let error = #expect(throws: JournalError.self) { _ = try Journal(folder: folder) }
                #expect(error?.code == .locked)
            }
            _ = try Journal(folder: folder)
        }
    }

    @Test("A record that was not written to its end was never acknowledged: the rest is complete without it")
    func unfinished() throws {
        try withFolder { folder in
            try live(folder) { journal in
                journal.append(Self.held(1))
                journal.append(Self.settled(1))
            }
            try change(folder) { bytes in
                // The length is written last.
                let at = try place(of: Self.settled(1), in: bytes)
                bytes.replaceSubrange(at - 8..<at - 4, with: [0, 0, 0, 0])
            }
            let past = try Journal(folder: folder).past
            #expect(past.isComplete)
            #expect(past.sessions[Self.name]?.settled.isEmpty == true)
            #expect(past.sessions[Self.name]?.holds.count == 1)
        }
    }

    @Test(
        "Behind a damaged record nothing is believed, and the journal does not count as complete",
        arguments: [false, true])
    func damaged(_ cut: Bool) throws {
        try withFolder { folder in
            try live(folder) { journal in
                for number in 1...3 as ClosedRange<Int64> { journal.append(Self.settled(number)) }
            }
            try change(folder) { bytes in
                let at = try place(of: Self.settled(2), in: bytes)
                if cut { bytes.removeSubrange((at + 5)...) } else { bytes[at + 5] ^= 1 }
            }
            let past = try Journal(folder: folder).past
            #expect(!past.isComplete)
            #expect(past.sessions[Self.name]?.settled.keys.sorted() == [1])
        }
    }

    @Test("After a start of the machine what was not synchronised may be missing: not complete")
    func otherBoot() throws {
        try withFolder { folder in
            try live(folder) { $0.append(Self.settled(1)) }
            try change(folder) { $0[16] ^= 1 }
            let past = try Journal(folder: folder).past
            #expect(!past.isComplete && past.sessions[Self.name]?.settled.count == 1)
        }
    }

    @Test("A file of another version, or of something else, is refused by name", arguments: [0, 8])
    func version(_ place: Int) throws {
        try withFolder { folder in
            try live(folder) { $0.append(Self.settled(1)) }
            try change(folder) { $0[place] = 9 }
            let error = #expect(throws: JournalError.self) { _ = try Journal(folder: folder) }
            #expect(error?.code == .unknownVersion)
            let file = try #require(try files(folder).first)
            #expect(error?.message.contains(file) == true)
        }
    }

    @Test("Files that are full are left, once all they say is told or written again: the folder stays small")
    func rotation() throws {
        try withFolder { folder in
            var limits = Journal.Limits()
            (limits.segmentBytes, limits.maximumBytes, limits.keep) = (4096, 5 * 4096, -1)
            try live(folder, limits) { journal in
                journal.append(Self.held(1))
                for number in 2...2000 as ClosedRange<Int64> {
                    journal.append(Self.held(number))
                    journal.append(Self.settled(number))
                    #expect(journal.maintain(holds: { [Self.held(1)] }, isTold: { _ in true }))
                    let count = try files(folder).count
                    #expect(count <= 3)
                }
                #expect(journal.lost.total == 0)
            }
            let past = try Journal(folder: folder).past
            let session = try #require(past.sessions[Self.name])
            #expect(past.isComplete)
            #expect(session.holds[1] != nil && session.settled[2000] != nil && session.settled[2] == nil)
        }
    }

    @Test(
        "What the ledger has not been told is kept, up to the limit; beyond it the journal says that it is incomplete")
    func bounded() throws {
        try withFolder { folder in
            var limits = Journal.Limits()
            (limits.segmentBytes, limits.maximumBytes, limits.keep) = (4096, 3 * 4096, -1)
            try live(folder, limits) { journal in
                for number in 1...500 as ClosedRange<Int64> {
                    journal.append(Self.settled(number))
                    _ = journal.maintain(holds: { [] }, isTold: { _ in false })
                }
                let count = try files(folder).count
                #expect(count == 3)
                #expect(journal.lost.total > 0)
            }
            let past = try Journal(folder: folder).past
            #expect(!past.isComplete)
            #expect(past.sessions[Self.name]?.settled[1] != nil)
        }
    }

    @Test("Ended in order it leaves nothing, and what earlier lives left goes when it is told")
    func ended() throws {
        try withFolder { folder in
            try live(folder) { $0.append(Self.settled(1)) }
            try live(folder) { journal in
                #expect(journal.past.files.count == 1)
                journal.forgetPast()
                journal.append(Self.settled(2))
                journal.end()
                #expect(!journal.maintain(holds: { [] }, isTold: { _ in true }))
            }
            #expect(try files(folder).isEmpty)
        }
    }
}
