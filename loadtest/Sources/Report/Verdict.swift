// The one word that scripts look at, and the reasons that people need when it is another one.

/// `ok`, or the guarantees that broke. Coded as one string: the reasons are joined by `; `.
package struct Verdict: Sendable, Hashable, Codable, CustomStringConvertible {
    private static let fine = "ok"
    private static let separator = "; "

    package var broken: [String]

    package init(broken: [String]) {
        self.broken = broken.map { $0.replacing(Self.separator, with: ", ") }
    }

    package init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        broken = text == Self.fine ? [] : text.split(separator: Self.separator).map(String.init)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }

    package var isFine: Bool { broken.isEmpty }

    package var description: String { isFine ? Self.fine : broken.joined(separator: Self.separator) }
}
