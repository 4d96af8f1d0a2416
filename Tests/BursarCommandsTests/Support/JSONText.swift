// JSON literals for tests.

import Foundation
import Testing

@testable import BursarCommands

extension JSONValue {
    static func of(_ text: String) -> JSONValue {
        do {
            return try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
        } catch {
            Issue.record("not JSON: \(text)")
            return .null
        }
    }
}
