// Where text goes: results to standard output, unbuffered so that scripts can read them at once, the rest to standard error.

import Foundation
#if canImport(Glibc)
    import Glibc
#endif

enum Terminal {
    /// Escape codes are for people: not in pipes and not when NO_COLOR asks for none.
    static let hasColour = isatty(STDOUT_FILENO) == 1 && ProcessInfo.processInfo.environment["NO_COLOR"] == nil

    static func line(_ text: String) { write(text, to: .standardOutput) }

    static func error(_ text: String) { write(text, to: .standardError) }

    private static func write(_ text: String, to handle: FileHandle) {
        // A reader that has gone is no reason to fail.
        try? handle.write(contentsOf: Data((text + "\n").utf8))
    }

    enum Colour: Int, Sendable {
        case red = 31
        case green = 32
        case yellow = 33
    }

    static func coloured(_ text: String, _ colour: Colour, on: Bool = hasColour) -> String {
        on ? "\u{1B}[\(colour.rawValue)m\(text)\u{1B}[0m" : text
    }
}
