// YAML as values that know where they stand, so that every problem can be shown with its line.

import Foundation
import Yams

/// A place in a file, both from 1.
struct FilePlace: Sendable, Hashable, CustomStringConvertible {
    var line: Int
    var column: Int

    var description: String { "\(line):\(column)" }
}

/// A YAML value with its place.
struct PlacedValue: Sendable {
    struct Entry: Sendable {
        var key: String
        var place: FilePlace
        var value: PlacedValue
    }

    indirect enum Content: Sendable {
        case scalar(JSONValue)
        case list([PlacedValue])
        case map([Entry])
    }

    /// Files beyond are refused.
    static let maximumBytes = 16 << 20

    var place: FilePlace
    var content: Content

    /// Reads a file; `-` is standard input.
    ///
    /// - Throws: `.usage` naming the file and, for broken YAML, the line.
    init(file path: String) throws(CommandError) {
        let data: Data?
        do {
            data =
                path == "-"
                ? try FileHandle.standardInput.readToEnd() ?? Data() : try Data(contentsOf: URL(filePath: path))
        } catch {
            throw CommandError(.usage, "\(path) can't be read", cause: error)
        }
        guard let data, data.count <= Self.maximumBytes else { throw CommandError(.usage, "\(path) is too large") }
        guard let text = String(validating: data, as: UTF8.self) else {
            throw CommandError(.usage, "\(path) is not UTF-8")
        }
        try self.init(yaml: text, name: path)
    }

    /// - Parameter name: the file's name in errors.
    init(yaml: String, name: String) throws(CommandError) {
        let node: Node?
        do {
            node = try Yams.compose(yaml: yaml)
        } catch {
            throw CommandError(.usage, "\(name):\(Self.reason(error))")
        }
        guard let node else {
            self.init(place: FilePlace(line: 1, column: 1), content: .scalar(.null))
            return
        }
        try self.init(node, name: name, depth: 0)
    }

    init(place: FilePlace, content: Content) {
        self.place = place
        self.content = content
    }

    private init(_ node: Node, name: String, depth: Int) throws(CommandError) {
        let place = Self.place(node)
        guard depth < 32 else { throw CommandError(.usage, "\(name):\(place): nested too deeply") }
        switch node {
        case .scalar(let scalar): self.init(place: place, content: .scalar(Self.scalar(scalar, node)))
        case .sequence(let items):
            var list: [PlacedValue] = []
            for item in items { list.append(try PlacedValue(item, name: name, depth: depth + 1)) }
            self.init(place: place, content: .list(list))
        case .mapping(let pairs):
            var entries: [Entry] = []
            var seen: Set<String> = []
            for (key, value) in pairs {
                let at = Self.place(key)
                guard case .scalar(let text) = key else {
                    throw CommandError(.usage, "\(name):\(at): a key must be a text")
                }
                guard seen.insert(text.string).inserted else {
                    throw CommandError(.usage, "\(name):\(at): '\(text.string)' stands there twice")
                }
                let inner = try PlacedValue(value, name: name, depth: depth + 1)
                entries.append(Entry(key: text.string, place: at, value: inner))
            }
            self.init(place: place, content: .map(entries))
        case .alias:
            throw CommandError(.usage, "\(name):\(place): an alias without an anchor")
        }
    }

    /// Only JSON's words are more than text: `off` and `no` stay what they are, dates stay as written.
    private static func scalar(_ scalar: Node.Scalar, _ node: Node) -> JSONValue {
        guard scalar.style == .plain || scalar.style == .any else { return .string(scalar.string) }
        switch scalar.string {
        case "", "~", "null": return .null
        case "true": return .bool(true)
        case "false": return .bool(false)
        case let text where text.wholeMatch(of: /-?(0|[1-9][0-9]*)(\.[0-9]+)?/) != nil:
            return Decimal(string: text).map { .number($0) } ?? .string(text)
        default: return .string(scalar.string)
        }
    }

    private static func place(_ node: Node) -> FilePlace {
        FilePlace(line: node.mark?.line ?? 1, column: node.mark?.column ?? 1)
    }

    private static func reason(_ error: any Error) -> String {
        switch error as? YamlError {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            "\(mark): \(problem)"
        // The place is that of the mapping.
        case .duplicatedKeysInMapping(let keys, let context):
            "\(context.mark): \(keys.map { "'\($0)'" }.joined(separator: ", ")) stands there twice"
        default: " \(error)"
        }
    }
}

extension PlacedValue {
    /// The value without its places.
    var json: JSONValue {
        switch content {
        case .scalar(let value): value
        case .list(let items): .array(items.map(\.json))
        case .map(let entries): .object(Dictionary(entries.map { ($0.key, $0.value.json) }) { first, _ in first })
        }
    }

    func entry(_ key: String) -> Entry? {
        guard case .map(let entries) = content else { return nil }
        return entries.first { $0.key == key }
    }

    /// Where a JSON pointer leads, as far as it can be followed.
    func place(of pointer: String) -> FilePlace {
        var value = self
        var place = self.place
        for part in pointer.split(separator: "/") {
            let key = String(part).replacing("~1", with: "/").replacing("~0", with: "~")
            switch value.content {
            case .map:
                guard let entry = value.entry(key) else { return place }
                (value, place) = (entry.value, entry.place)
            case .list(let items):
                guard let index = Int(key), items.indices.contains(index) else { return place }
                value = items[index]
                place = value.place
            case .scalar: return place
            }
        }
        return place
    }
}
