// The YAML file of --config: long options as keys, at the top for every command or below a command's name.

import Foundation

/// A configuration file whose keys have been checked.
struct SettingsFile: Sendable {
    private let path: String
    private let root: PlacedValue

    /// - Throws: for a file that can't be read, is no YAML, or has a key that is no option: a misspelt setting would
    ///   otherwise be a setting that does not apply.
    init(path: String, tree: CommandTree) throws(CommandError) {
        self.path = path
        root = try PlacedValue(file: path)
        guard case .map(let entries) = root.content else {
            if case .scalar(.null) = root.content { return }
            throw CommandError(.usage, "\(path): the file must be a mapping")
        }
        let everywhere = try Self.names(tree)
        for entry in entries {
            if let command = tree.subcommand(entry.key), case .map(let inner) = entry.value.content {
                let known = try Self.names(command)
                for item in inner where !known.contains(Self.option(item.key)) {
                    throw Self.unknown(item, path, below: entry.key)
                }
            } else if !everywhere.contains(Self.option(entry.key)) {
                throw Self.unknown(entry, path, below: nil)
            }
        }
    }

    /// The values of an option: a list's elements, or one. The command's section wins over the top.
    func values(of option: String, in section: String) -> (values: [String], place: String)? {
        let places = [root.entry(section)?.value, root]
        for case .map(let entries)? in places.map({ $0?.content }) {
            guard let entry = entries.first(where: { Self.option($0.key) == option }) else { continue }
            let values: [String]
            switch entry.value.content {
            case .scalar(.null): return nil
            case .scalar(let scalar): values = [scalar.text]
            case .list(let items): values = items.map { $0.json.text }
            // A section that is called like an option.
            case .map: continue
            }
            return (values, "\(path):\(entry.place)")
        }
        return nil
    }

    private static func option(_ key: String) -> String { key.replacing("_", with: "-") }

    private static func names(_ command: CommandTree) throws(CommandError) -> Set<String> {
        var names: Set<String> = []
        for command in command.all { names.formUnion(try command.settings().compactMap(\.long)) }
        return names
    }

    private static func unknown(_ entry: PlacedValue.Entry, _ path: String, below section: String?) -> CommandError {
        let scope = section.map { " of '\($0)'" } ?? ""
        return CommandError(.usage, "\(path):\(entry.place): '\(entry.key)' is no option\(scope)")
    }
}
