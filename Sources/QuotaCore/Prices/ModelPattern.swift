// Patterns of model names. Providers add a date or a size to a name; a `*` covers them all.

/// A name in which each `*` stands for any characters, none included. Everything else stands for itself.
struct ModelPattern: Sendable, Hashable {
    static let star = UInt8(ascii: "*")

    let text: String
    /// What stands before the first `*`.
    let prefix: String
    /// Bytes that stand for themselves; of two patterns that match, the one with more of them says more.
    let literalLength: Int
    private let middle: [[UInt8]]
    private let suffix: [UInt8]

    /// - Parameter text: has at least one `*`.
    init(_ text: String) {
        let parts = text.utf8.split(separator: Self.star, omittingEmptySubsequences: false).map { Array($0) }
        precondition(parts.count >= 2, "a name without a star is not a pattern")
        self.text = text
        prefix = String(decoding: parts[0], as: UTF8.self)
        suffix = parts[parts.count - 1]
        middle = parts[1..<(parts.count - 1)].filter { !$0.isEmpty }
        literalLength = parts.reduce(0) { $0 + $1.count }
    }

    /// - Parameter name: begins with `prefix`, which the caller has looked up.
    ///
    /// Each literal is taken where it first occurs: what remains for the others is then as long as it can be, so that no
    /// second try is needed and the time is bounded.
    func matches(_ name: [UInt8]) -> Bool {
        guard name.count >= literalLength, name.suffix(suffix.count).elementsEqual(suffix) else { return false }
        var rest = name[prefix.utf8.count..<(name.count - suffix.count)]
        for literal in middle {
            while rest.count >= literal.count, !rest.starts(with: literal) { rest = rest.dropFirst() }
            if rest.count < literal.count { return false }
            rest = rest.dropFirst(literal.count)
        }
        return true
    }
}
