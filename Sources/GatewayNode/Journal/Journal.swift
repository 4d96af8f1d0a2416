// The journal of a node: what only it knows, on its own disk, so that the next life can tell what a killed one could not.

import Foundation
import Ledger
import Logging
import QuotaCore
import Synchronization
#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Appends records in memory that outlives the process. Files are made, synchronised and removed by a thread of its own:
/// whoever appends waits for no disk. Where there is no room, a record is left out and the file says so.
package final class Journal: Sendable {
    package struct Limits: Sendable {
        package var segmentBytes = 4 << 20
        /// Of all files together.
        package var maximumBytes = 256 << 20
        /// A file is kept for at least this long after its last record, ms: longer than Redis may lose.
        package var keep: Int64 = 20_000
        /// Time between two synchronisations, ms.
        package var interval: UInt32 = 100

        package init() {}
    }
    private struct State {
        var current: JournalSegment
        var spare: JournalSegment?
        var retired: [(segment: JournalSegment, at: Int64)] = []
        /// Open holds of earlier files have not been written to the current one yet.
        var owesHolds = false
        var files = 1
        var stopped = false
    }

    private let folder: String
    private let limits: Limits
    private let clock: any NodeClock
    private let lock: Int32
    private let life = UInt64.random(in: 0 ... .max)
    private let state: Mutex<State>
    /// What earlier lives left.
    package let past: JournalPast
    package let lost = Counter()
    package let recovered = Counter()

    /// Opens a folder, made if need be, and reads what earlier lives left there.
    ///
    /// - Throws: `.locked`, `.unknownVersion`, `.system`.
    package init(folder: String, limits: Limits = Limits(), clock: any NodeClock = BootClock()) throws(JournalError) {
        self.folder = folder
        self.limits = limits
        self.clock = clock
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw JournalError(.system, "cannot make \(folder): \(error.localizedDescription)")
        }
        let lock = open("\(folder)/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard lock >= 0 else { throw JournalError(.system, "cannot open \(folder)/lock") }
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            close(lock)
            throw JournalError(.locked, "another process uses the journal in \(folder)")
        }
        self.lock = lock
        do throws(JournalError) {
            past = try JournalPast(folder: folder)
            state = Mutex(
                State(
                    current: try JournalSegment(
                        path: Self.path(folder, life, 0), bytes: limits.segmentBytes)))
        } catch {
            close(lock)
            throw error
        }
    }

    deinit { close(lock) }

    private static func path(_ folder: String, _ life: UInt64, _ number: Int) -> String {
        "\(folder)/\(String(life, radix: 16))-\(number).journal"
    }

    /// Appends a record: from then on it survives this process.
    package func append(_ record: JournalRecord) {
        let payload = record.payload
        let checksum = JournalRecord.checksum(payload)
        let now = clock.now()
        state.withLock { state in
            guard !state.stopped, !state.current.append(payload, checksum: checksum) else { return }
            if let spare = state.spare {
                state.retired.append((state.current, now))
                (state.current, state.spare, state.owesHolds) = (spare, nil, true)
                if state.current.append(payload, checksum: checksum) { return }
            }
            state.current.markGap()
            lost.add(1)
        }
    }

    // MARK: The thread

    /// Starts the thread.
    ///
    /// - Parameters:
    ///   - holds: what is open now, to be written again when a file is left behind.
    ///   - isTold: whether the ledger has been told all that happened before a time (of the node's clock).
    package func start(
        holds: @escaping @Sendable () -> [JournalRecord], isTold: @escaping @Sendable (Int64) -> Bool
    ) {
        let interval = limits.interval * 1000
        // A thread, not a task: a synchronisation blocks for as long as the disk takes, and no request may wait behind it.
        // It holds the journal only while it works and rests, so one that nobody uses any more ends within a round.
        Thread.detachNewThread { [weak self] in
            while let self, self.maintain(holds: holds, isTold: isTold) { usleep(interval) }
        }
    }

    /// One round; false once the journal has ended.
    func maintain(holds: () -> [JournalRecord], isTold: (Int64) -> Bool) -> Bool {
        prepareSpare()
        let owes = state.withLock { state in
            defer { state.owesHolds = false }
            return state.owesHolds ? state.retired.last?.at : nil
        }
        if owes != nil { for record in holds() { append(record) } }
        let now = clock.now()
        let (current, end, gone) = state.withLock { state -> (JournalSegment?, Int, [JournalSegment]) in
            if state.stopped { return (nil, 0, []) }
            // What was open in them is written again, in files that are not owed anything.
            let gone = state.owesHolds ? [] : state.retired.filter { $0.at + limits.keep <= now && isTold($0.at) }
            state.retired.removeAll { old in gone.contains { $0.segment === old.segment } }
            return (state.current, state.current.end, gone.map(\.segment))
        }
        for segment in gone {
            unlink(segment.path)
            segment.unmap()
        }
        current?.synchronise(upTo: end)
        return current != nil
    }

    private func prepareSpare() {
        let number = state.withLock { state -> Int? in
            let count = state.retired.count + 2
            guard !state.stopped, state.spare == nil, state.current.isHalfFull,
                count * limits.segmentBytes <= limits.maximumBytes
            else { return nil }
            state.files += 1
            return state.files - 1
        }
        guard let number,
            let spare = try? JournalSegment(path: Self.path(folder, life, number), bytes: limits.segmentBytes)
        else { return }
        state.withLock { $0.spare = spare }
    }

    // MARK: Ends

    /// Removes the files of earlier lives: all that they say has been told.
    package func forgetPast() { for file in past.files { unlink(file) } }

    /// Every session has said goodbye: nothing is left to tell. The mapping stays until the process ends.
    package func end() {
        let paths = state.withLock { state -> [String] in
            state.stopped = true
            return ([state.current] + state.retired.map(\.segment) + (state.spare.map { [$0] } ?? [])).map(\.path)
        }
        for path in paths { unlink(path) }
    }
}
