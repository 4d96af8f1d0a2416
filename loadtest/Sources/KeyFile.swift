// The gateways' key comes from a file: on the command line every user of the machine could read it.

import Foundation

/// A file that holds one key and nothing else.
enum KeyFile {
    private static let maximumBytes = 4096

    /// - Throws: ``LoadError/Code/key``.
    static func read(_ file: String) throws(LoadError) -> String {
        guard let handle = FileHandle(forReadingAtPath: file), let data = try? handle.read(upToCount: maximumBytes)
        else { throw LoadError(.key, "the key file \(file) can't be read") }
        let key = String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        guard !key.isEmpty, data.count < maximumBytes, key.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw LoadError(.key, "the key file \(file) must hold one key and nothing else")
        }
        return key
    }
}
