// Reads a trace row by row: it may be larger than memory, and a wrong line must be named, not skipped.

import Foundation

/// One recorded request.
package struct TraceRow: Sendable, Hashable {
    /// 100 ns since 1970, UTC.
    package var ticks: Int64
    package var contextTokens: Int
    package var generatedTokens: Int
}

/// What a whole trace holds.
package struct TraceSummary: Sendable, Hashable {
    package var rows = 0
    package var firstTicks: Int64 = 0
    package var lastTicks: Int64 = 0
    package var contextTokens = 0
    package var generatedTokens = 0
}

/// A CSV file with the header `TIMESTAMP,ContextTokens,GeneratedTokens`, oldest row first; lines end in LF or CRLF.
package struct TraceReader {
    package static let header = "TIMESTAMP,ContextTokens,GeneratedTokens"
    package static let maximumTokens = 10_000_000
    package static let maximumRows = 100_000_000
    package static let maximumLineBytes = 256
    private static let blockBytes = 64 << 10

    private let path: String
    private let file: FileHandle
    private var buffer: [UInt8] = []
    private var position = 0
    private var isAtEnd = false
    private var line = 0
    private var rows = 0
    private var lastTicks = Int64.min

    /// Opens the file and reads its header.
    ///
    /// - Throws: ``LoadError/Code/trace``.
    package init(path: String) throws(LoadError) {
        guard let file = FileHandle(forReadingAtPath: path) else {
            throw LoadError(.trace, "\(path) can't be opened")
        }
        self.path = path
        self.file = file
        guard var header = try nextLine() else { throw failure("the file is empty; it begins with \(Self.header)") }
        if header.starts(with: [0xEF, 0xBB, 0xBF]) { header = header.dropFirst(3) }
        guard header.elementsEqual(Self.header.utf8) else { throw failure("the header must be \(Self.header)") }
    }

    /// Reads the whole file once.
    ///
    /// - Throws: ``LoadError/Code/trace`` for the first row that can't be used, or when there is none.
    package static func summary(path: String) throws(LoadError) -> TraceSummary {
        var reader = try TraceReader(path: path)
        var summary = TraceSummary()
        while let row = try reader.next() {
            if summary.rows == 0 { summary.firstTicks = row.ticks }
            summary.lastTicks = row.ticks
            summary.rows += 1
            summary.contextTokens += row.contextTokens
            summary.generatedTokens += row.generatedTokens
        }
        if summary.rows == 0 { throw reader.failure("there is no row") }
        return summary
    }

    /// The next row; nil after the last.
    ///
    /// - Throws: ``LoadError/Code/trace`` with the line's number.
    package mutating func next() throws(LoadError) -> TraceRow? {
        guard let text = try nextLine() else { return nil }
        if text.isEmpty {
            guard try nextLine() == nil else { throw failure("an empty line stands before this one") }
            return nil
        }
        let fields = text.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
        guard fields.count == 3 else { throw failure("there must be 3 fields, not \(fields.count)") }
        guard let ticks = TraceTime.parse(fields[0]) else {
            throw failure("TIMESTAMP must be a time in UTC such as 2023-11-16 18:15:46.6805900")
        }
        guard ticks >= lastTicks else { throw failure("TIMESTAMP is before the one of the line above") }
        lastTicks = ticks
        rows += 1
        guard rows <= Self.maximumRows else { throw failure("there are more than \(Self.maximumRows) rows") }
        return TraceRow(
            ticks: ticks, contextTokens: try tokens(fields[1], "ContextTokens"),
            generatedTokens: try tokens(fields[2], "GeneratedTokens"))
    }

    private func tokens(_ text: ArraySlice<UInt8>, _ name: String) throws(LoadError) -> Int {
        guard text.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let value = Int(String(decoding: text, as: UTF8.self)), value <= Self.maximumTokens
        else { throw failure("\(name) must be an integer from 0 to \(Self.maximumTokens)") }
        return value
    }

    private func failure(_ message: String, cause: (any Error)? = nil) -> LoadError {
        LoadError(.trace, "\(path):\(max(line, 1)): \(message)", cause: cause)
    }

    /// The next line without its end; nil at the end of the file.
    private mutating func nextLine() throws(LoadError) -> ArraySlice<UInt8>? {
        while true {
            if let end = buffer[position...].firstIndex(of: UInt8(ascii: "\n")) {
                let text = buffer[position..<end]
                position = end + 1
                return try lineOf(text)
            }
            if isAtEnd {
                guard position < buffer.count else { return nil }
                let text = buffer[position...]
                position = buffer.count
                return try lineOf(text)
            }
            guard buffer.count - position <= Self.maximumLineBytes else {
                line += 1
                throw failure("the line is longer than \(Self.maximumLineBytes) bytes")
            }
            try readBlock()
        }
    }

    private mutating func lineOf(_ text: ArraySlice<UInt8>) throws(LoadError) -> ArraySlice<UInt8> {
        line += 1
        guard text.count <= Self.maximumLineBytes else {
            throw failure("the line is longer than \(Self.maximumLineBytes) bytes")
        }
        return text.last == UInt8(ascii: "\r") ? text.dropLast() : text
    }

    private mutating func readBlock() throws(LoadError) {
        buffer.removeFirst(position)
        position = 0
        do {
            if let block = try file.read(upToCount: Self.blockBytes), !block.isEmpty {
                buffer.append(contentsOf: block)
            } else {
                isAtEnd = true
            }
        } catch {
            throw failure("the file can't be read", cause: error)
        }
    }
}
