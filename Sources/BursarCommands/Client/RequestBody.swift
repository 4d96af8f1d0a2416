// Bodies from options: what was not given is not there.

import Foundation

extension JSONValue {
    /// An object of the given texts.
    static func fields(_ fields: [String: String?]) -> JSONValue {
        .object(fields.compactMapValues { $0.map { .string($0) } })
    }

    /// This object with the members of another, deep: what the other has wins.
    func overlaid(with other: JSONValue) -> JSONValue {
        guard case .object(let mine) = self, case .object(let theirs) = other else { return other }
        return .object(mine.merging(theirs) { $0.overlaid(with: $1) })
    }

    /// A body read from a file, with options on top.
    ///
    /// - Throws: `.usage` for a file that can't be read or is no mapping.
    static func body(file: String?, _ options: JSONValue) throws(CommandError) -> JSONValue {
        guard let file else { return options }
        let value = try PlacedValue(file: file)
        guard case .map = value.content else { throw CommandError(.usage, "\(file): the body must be a mapping") }
        return value.json.overlaid(with: options)
    }
}
