// Looks a value up in an answer.

import Foundation
import NIOCore

enum JSONPeek {
    /// The value at a path of keys and indices: strings as they are, everything else as JSON.
    static func text(_ body: ByteBuffer, _ path: [String]) -> String? {
        var value = try? JSONSerialization.jsonObject(
            with: Data(body.readableBytesView), options: .fragmentsAllowed)
        for step in path {
            if let index = Int(step), let list = value as? [Any] {
                value = index < list.count ? list[index] : nil
            } else {
                value = (value as? [String: Any])?[step]
            }
        }
        guard let value else { return nil }
        if let text = value as? String { return text }
        let data = try? JSONSerialization.data(
            withJSONObject: value, options: [.fragmentsAllowed, .withoutEscapingSlashes])
        return data.map { String(decoding: $0, as: UTF8.self) }
    }
}
