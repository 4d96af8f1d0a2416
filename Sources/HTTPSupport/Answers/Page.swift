// Lists: `limit` and an opaque `cursor` in, `{"items":[...],"next_cursor":...}` out.

import Crypto
import NIOCore

/// Which part of a list is asked for.
package struct Page: Sendable {
    package static let defaultLimit = 50
    package static let maximumLimit = 200

    /// 1...200.
    package var limit: Int
    /// Where the last page ended, as its maker wrote it; nil for the first.
    package var position: String?

    /// Reads `limit` and `cursor`.
    package init(_ query: inout Query) throws(Problem) {
        limit = Int(query.integer("limit", in: 1...Int64(Self.maximumLimit)) ?? Int64(Self.defaultLimit))
        guard let cursor = query.string("cursor", maxBytes: 1024) else { return }
        guard let text = Self.open(cursor) else { throw .invalid("?cursor", "is not a cursor of this list") }
        position = text
    }

    package init(limit: Int = Page.defaultLimit, position: String? = nil) {
        self.limit = limit
        self.position = position
    }

    /// The answer for one page.
    /// - Parameter next: position after the last item; nil when the list ends here.
    package static func answer<Items: Sequence>(
        _ items: Items, next: String?, _ each: (inout JSONWriter, Items.Element) -> Void
    ) -> Answer {
        .json { json in
            json.array("items", items, each)
            json.field("next_cursor", next.map(seal))
        }
    }

    /// Hexadecimal, so that clients need not encode it; a checksum tells mistyped cursors.
    static func seal(_ position: String) -> String { hex(Array(position.utf8) + checksum(Array(position.utf8))) }

    static func open(_ cursor: String) -> String? {
        guard cursor.utf8.count.isMultiple(of: 2) else { return nil }
        var bytes: [UInt8] = []
        var high: UInt8?
        for byte in cursor.utf8 {
            guard let digit = JSONEscapes.digit(byte) else { return nil }
            if let first = high {
                bytes.append(first << 4 | digit)
                high = nil
            } else {
                high = digit
            }
        }
        guard bytes.count > 4 else { return nil }
        let text = Array(bytes.dropLast(4))
        guard Array(bytes.suffix(4)) == checksum(text) else { return nil }
        return String(validating: text, as: UTF8.self)
    }

    private static func checksum(_ bytes: [UInt8]) -> [UInt8] { Array(SHA256.hash(data: bytes).prefix(4)) }

    private static func hex(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
