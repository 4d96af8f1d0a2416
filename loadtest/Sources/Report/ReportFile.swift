// One form of JSON for all reports, and one way to write it.

import Foundation

/// Reports as JSON documents.
enum ReportFile {
    /// The report with a line end, its keys sorted.
    ///
    /// - Throws: ``LoadError/Code/output``.
    static func json(_ report: some Encodable) throws(LoadError) -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        do {
            return try encoder.encode(report) + Data("\n".utf8)
        } catch {
            throw LoadError(.output, "the report can't be written as JSON", cause: error)
        }
    }

    /// Replaces the file at once.
    ///
    /// - Throws: ``LoadError/Code/output``.
    static func write(_ report: some Encodable, to path: String) throws(LoadError) {
        let data = try json(report)
        do {
            try data.write(to: URL(filePath: path), options: .atomic)
        } catch {
            throw LoadError(.output, "\(path) can't be written", cause: error)
        }
    }
}
