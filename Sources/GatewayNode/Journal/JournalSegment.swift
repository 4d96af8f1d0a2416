// One file of the journal, mapped into memory: what was copied there survives the process, however that ends, without a
// system call on the way. It survives the machine once it is synchronised.

import Foundation
#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A file of a fixed size: a head of 64 bytes, then records: length (4 bytes), checksum (4), payload. Zeros end it.
///
/// Unchecked: the mapping is touched only under the lock of the journal that owns the segment, but for `synchronise`, which
/// the journal's one thread calls, the same that closes it.
final class JournalSegment: @unchecked Sendable {
    static let magic = Array("BURSARJN".utf8)
    static let version: UInt8 = 1
    static let headBytes = 64
    /// Places in the head.
    private static let versionAt = 8, gapAt = 9, bootAt = 16, bootBytes = 36

    let path: String
    private let size: Int
    private let base: UnsafeMutableRawPointer
    private(set) var end = headBytes
    private var synchronised = 0

    /// - Throws: `.system`, also when the disk has no room for all of it.
    init(path: String, bytes: Int) throws(JournalError) {
        self.path = path
        size = bytes
        let file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw Self.system("create", path) }
        defer { close(file) }
        // All of it at once: a page without room on the disk would end the process when it is written.
        let code = posix_fallocate(file, 0, bytes)
        guard code == 0 else {
            unlink(path)
            throw JournalError(.system, "cannot reserve \(bytes) bytes for \(path): \(String(cString: strerror(code)))")
        }
        guard let base = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0), base != MAP_FAILED else {
            unlink(path)
            throw Self.system("map", path)
        }
        self.base = base
        Self.magic.withUnsafeBytes {
            if let start = $0.baseAddress { base.copyMemory(from: start, byteCount: $0.count) }
        }
        base.storeBytes(of: Self.version, toByteOffset: Self.versionAt, as: UInt8.self)
        let boot = Array(Self.bootID.utf8.prefix(Self.bootBytes))
        boot.withUnsafeBytes {
            if let start = $0.baseAddress { (base + Self.bootAt).copyMemory(from: start, byteCount: $0.count) }
        }
    }

    var isHalfFull: Bool { end > size / 2 }

    /// False when it does not fit any more.
    func append(_ payload: [UInt8], checksum: UInt32) -> Bool {
        // The zeros of one more length stay behind it.
        guard end + 8 + payload.count + 4 <= size else { return false }
        payload.withUnsafeBytes {
            if let start = $0.baseAddress { (base + end + 8).copyMemory(from: start, byteCount: $0.count) }
        }
        base.storeBytes(of: checksum.littleEndian, toByteOffset: end + 4, as: UInt32.self)
        base.storeBytes(of: UInt32(payload.count).littleEndian, toByteOffset: end, as: UInt32.self)
        end += (8 + payload.count + 3) & ~3
        return true
    }

    /// Notes that something could not be written: from now on the file does not tell all.
    func markGap() { base.storeBytes(of: 1, toByteOffset: Self.gapAt, as: UInt8.self) }

    /// Waits until what was written by now is on the disk.
    func synchronise(upTo end: Int) {
        guard end > synchronised else { return }
        let first = synchronised & ~4095
        if msync(base + first, end - first, MS_SYNC) == 0 { synchronised = end }
    }

    func unmap() { munmap(base, size) }

    /// Changes whenever the machine starts.
    static let bootID: String =
        (try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8))?
        .trimmingCharacters(in: .whitespacesAndNewlines) ?? ""

    private static func system(_ what: String, _ path: String) -> JournalError {
        JournalError(.system, "cannot \(what) \(path): \(String(cString: strerror(errno)))")
    }

    // MARK: Reading

    struct Contents {
        var records: [JournalRecord] = []
        /// Every record that was ever appended is here, as far as the file can tell: nothing was left out or damaged, and
        /// the machine has not started anew since.
        var isComplete = true
    }

    /// Reads a file of an earlier life. Records behind a damaged one are not read.
    ///
    /// - Throws: `.unknownVersion`, `.system`.
    static func read(_ path: String) throws(JournalError) -> Contents {
        guard let data = FileManager.default.contents(atPath: path) else { throw system("read", path) }
        let bytes = [UInt8](data)
        var contents = Contents()
        // Died while it made the file: nothing was written to it yet.
        guard bytes.count >= headBytes, bytes.prefix(headBytes).contains(where: { $0 != 0 }) else { return contents }
        guard Array(bytes.prefix(8)) == magic, bytes[versionAt] == version else {
            throw JournalError(
                .unknownVersion, "\(path) is not a journal of version \(version); move it away to start without it")
        }
        let boot = bytes[bootAt..<bootAt + bootBytes].prefix { $0 != 0 }
        contents.isComplete =
            bytes[gapAt] == 0 && !bootID.isEmpty && String(decoding: boot, as: UTF8.self) == bootID
        func word(_ at: Int) -> UInt32 { (0..<4).reduce(0) { $0 | UInt32(bytes[at + $1]) << UInt32(8 * $1) } }
        var at = headBytes
        while at + 8 <= bytes.count {
            let length = Int(word(at))
            if length == 0 { return contents }
            guard at + 8 + length <= bytes.count, case let payload = bytes[at + 8..<at + 8 + length],
                JournalRecord.checksum(payload) == word(at + 4), let record = JournalRecord(payload: Array(payload))
            else { break }
            contents.records.append(record)
            at += (8 + length + 3) & ~3
        }
        contents.isComplete = false
        return contents
    }
}
