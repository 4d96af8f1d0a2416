// The trace's format: what is read, and how a wrong line is named.

import Foundation
import Testing

@testable import LoadTest

@Suite struct TraceReaderTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func summary(_ text: String) throws -> TraceSummary {
        try TraceReader.summary(path: folder.file("t.csv", text))
    }

    private func message(_ text: String) throws -> String {
        do {
            _ = try summary(text)
            return ""
        } catch let error as LoadError {
            #expect(error.code == .trace)
            return error.message
        }
    }

    @Test(
        "a time stamp is read to its last digit",
        arguments: [
            ("1970-01-01 00:00:00", 0), ("2023-11-16 18:15:46.6805900", 17_001_585_466_805_900),
            ("2023-11-16T18:15:46.68059Z", 17_001_585_466_805_900),
            ("2024-02-29 00:00:00.0000001", 17_091_648_000_000_001),
            ("2000-03-01 00:00:00.5", 9_518_688_005_000_000), ("1969-12-31 23:59:59", -10_000_000),
        ])
    func times(text: String, ticks: Int64) { #expect(TraceTime.parse(Array(text.utf8)[...]) == ticks) }

    @Test(
        "a time that does not exist is refused",
        arguments: [
            "2023-02-29 00:00:00", "2023-13-01 00:00:00", "2023-04-31 00:00:00", "2023-01-01 24:00:00",
            "2023-01-01 00:60:00", "2023-01-01 00:00:00.", "2023-01-01 00:00:00.12345678", "2023-01-01", "",
            "2023-01-01 00:00:00+01:00", "1900-02-29 00:00:00",
        ])
    func wrongTimes(text: String) { #expect(TraceTime.parse(Array(text.utf8)[...]) == nil) }

    @Test(
        "lines may end in LF or CRLF, the last one in nothing",
        arguments: ["\n", "\r\n"], ["", "\n", "\r\n"])
    func lineEnds(end: String, last: String) throws {
        let rows = ["2023-11-16 18:15:46.6805900,374,44", "2023-11-16 18:15:50.9951690,396,109"]
        let found = try summary(([TraceReader.header] + rows).joined(separator: end) + last)
        #expect(found.rows == 2)
        #expect(found.contextTokens == 770)
        #expect(found.generatedTokens == 153)
        #expect(found.lastTicks - found.firstTicks == 43_145_790)
    }

    @Test("rows that cross the blocks of the file are whole")
    func manyBlocks() throws {
        let rows = (0..<20_000).map { "2023-11-16 18:15:46.\($0 + 1_000_000),\($0 % 1000),7" }
        let found = try summary(([TraceReader.header] + rows).joined(separator: "\n"))
        #expect(found.rows == 20_000)
        #expect(found.contextTokens == 9_990_000)
        #expect(found.generatedTokens == 140_000)
    }

    @Test(
        "a wrong line is named by its number",
        arguments: [
            ("2023-11-16 18:15:46,1", ":3: there must be 3 fields, not 2"),
            ("2023-11-16 18:15:46,1,2,3", ":3: there must be 3 fields, not 4"),
            ("yesterday,1,2", ":3: TIMESTAMP must be a time in UTC"),
            ("2023-11-16 18:15:44,1,2", ":3: TIMESTAMP is before the one of the line above"),
            ("2023-11-16 18:15:46,-1,2", ":3: ContextTokens must be an integer"),
            ("2023-11-16 18:15:46,1,2.5", ":3: GeneratedTokens must be an integer"),
            ("2023-11-16 18:15:46,1,99999999999999999999", ":3: GeneratedTokens must be an integer"),
            ("2023-11-16 18:15:46,1,\n", ":3: GeneratedTokens must be an integer"),
            (String(repeating: "1", count: 300), ":3: the line is longer than 256 bytes"),
            ("\n2023-11-16 18:15:46,1,2", ":4: an empty line stands before this one"),
        ])
    func wrongLines(line: String, expected: String) throws {
        let found = try message("\(TraceReader.header)\n2023-11-16 18:15:45,1,2\n\(line)")
        #expect(found.contains(expected), "\(found)")
    }

    @Test("a file without the header or without rows is refused")
    func headers() throws {
        #expect(try message("a,b,c\n").contains(":1: the header must be \(TraceReader.header)"))
        #expect(try message("").contains("the file is empty"))
        #expect(try message(TraceReader.header + "\n").contains("there is no row"))
        #expect(try message(String(repeating: "x", count: 100_000)).contains("longer than 256 bytes"))
        #expect(throws: LoadError.self) { try TraceReader(path: folder.path + "/missing.csv") }
    }

    static let published = "../shared/data/azure-llm-2023-conv.csv"

    @Test(
        "the published trace is read whole",
        .enabled(if: FileManager.default.isReadableFile(atPath: published), "the trace is not at \(published)"))
    func publishedTrace() throws {
        let found = try TraceReader.summary(path: Self.published)
        #expect(found.rows == 19_366)
        #expect(found.contextTokens == 22_361_870)
        #expect(found.generatedTokens == 4_088_665)
    }
}
