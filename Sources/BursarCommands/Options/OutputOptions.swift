// How results are shown: tables for people, JSON for programs, bare ids for scripts, all from the same values.

import ArgumentParser

struct OutputOptions: ParsableArguments {
    @Flag(name: .long, help: "Show the server's answer as JSON.")
    var json = false

    @Flag(name: [.long, .customShort("q")], help: "Show ids only.")
    var quiet = false

    /// Shows a list.
    ///
    /// - Parameter id: the member that names a row.
    func show(_ rows: [JSONValue], id: String = "id", columns: [Table.Column]) {
        if json { return Terminal.line(JSONValue.array(rows).pretty) }
        if quiet { return rows.compactMap { $0[id]?.text }.forEach(Terminal.line) }
        if rows.isEmpty { return Terminal.error("nothing there") }
        Terminal.line(Table(columns: columns).render(rows))
    }

    /// Shows one thing, a line a member.
    func show(_ value: JSONValue, id: String = "id") {
        if json { return Terminal.line(value.pretty) }
        if quiet { return Terminal.line(value[id]?.text ?? "") }
        Terminal.line(Self.lines(value, indentation: "").joined(separator: "\n"))
    }

    /// Says that something was done; programs get the answer, scripts the id.
    func done(_ value: JSONValue, id: String = "id", _ sentence: String) {
        if json { return Terminal.line(value == .null ? "{}" : value.pretty) }
        if quiet { return Terminal.line(value[id]?.text ?? "") }
        Terminal.line(sentence)
    }

    private static func lines(_ value: JSONValue, indentation: String) -> [String] {
        let members = value.members.sorted { $0.key < $1.key }
        let width = members.map(\.key.count).max() ?? 0
        return members.flatMap { key, member -> [String] in
            if case .object(let inner) = member, !inner.isEmpty {
                return ["\(indentation)\(key):"] + lines(member, indentation: indentation + "  ")
            }
            let padding = String(repeating: " ", count: width - key.count)
            return ["\(indentation)\(key):\(padding) \(member == .null ? "-" : member.text)"]
        }
    }
}
