// Secrets from an option or from a file, which is what container platforms mount.

import Foundation

enum Secret {
    /// The value given, or the first line of the file given.
    ///
    /// - Throws: `.usage` for a file that can't be read or is empty.
    static func read(_ value: String?, file: String?) throws(CommandError) -> String? {
        if let value { return value }
        guard let file else { return nil }
        let text: String
        do {
            text = try String(contentsOf: URL(filePath: file), encoding: .utf8)
        } catch {
            throw CommandError(.usage, "\(file) can't be read", cause: error)
        }
        guard let line = text.split(whereSeparator: \.isNewline).first?.trimmingCharacters(in: .whitespaces),
            !line.isEmpty
        else { throw CommandError(.usage, "\(file) is empty") }
        return line
    }

    /// A new random secret: 24 bytes in hexadecimal.
    static func random() -> String {
        var generator = SystemRandomNumberGenerator()
        return (0..<3).map { _ in
            let text = String(generator.next() as UInt64, radix: 16)
            return String(repeating: "0", count: 16 - text.count) + text
        }.joined()
    }
}
