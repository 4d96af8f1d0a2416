// JSON has numbers, and users write amounts as such. A Double would turn 0.1 into something else before we see it, so
// the number is taken through Decimal, which JSON decoders read from the digits themselves. That type is why this file
// alone of the folder needs Foundation, and of it only the part without time zones and locales.

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A decimal number as text, not yet checked: `Amount` reads it in the unit that the place asks for.
///
/// Decodes from a string or a number, encodes as a string.
package struct DecimalText: Codable, Sendable, Hashable {
    package let text: String

    package init(text: String) { self.text = text }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        // A string comes first: YAML decoders give the digits of a plain number this way, exactly as written.
        if let text = try? container.decode(String.self) {
            self.text = text
            return
        }
        guard let number = try? container.decode(Decimal.self), number.isFinite else {
            throw DecodingError.typeMismatch(
                DecimalText.self,
                DecodingError.Context(
                    codingPath: container.codingPath, debugDescription: "must be a decimal string or a number"))
        }
        text = number.description
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}
