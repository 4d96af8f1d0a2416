// Completes a command line from the environment and the configuration file, so that commands see options only and a
// setting from anywhere is checked by the same code.

import Foundation

/// Flag over environment over file. A setting and its `-file` twin count as one: whichever stands in the higher place
/// wins over both in the lower ones.
struct SettingsResolver {
    let tree: CommandTree
    let environment: [String: String]

    /// - Returns: the arguments with what the environment and the file add, right behind the command's name.
    /// - Throws: ``CommandError`` with the file's name and line.
    func resolve(_ arguments: [String]) throws(CommandError) -> [String] {
        var command = tree
        var path: [String] = []
        while path.count < arguments.count, let next = command.subcommand(arguments[path.count]) {
            command = next
            path.append(arguments[path.count])
        }
        var rest = Array(arguments[path.count...])
        let options = rest.prefix { $0 != "--" }
        if options.contains("--help") || options.contains("-h") { return arguments }
        if let implied = command.defaultSubcommand {
            // `bursar block help` asks for help, anything else belongs to the default command.
            guard options.first != "help" else { return arguments }
            command = implied
            path.append(implied.name)
        }
        guard command.subcommands.isEmpty else { return arguments }
        let settings = try command.settings()

        let given = Set(options.filter { $0.hasPrefix("-") }.map(Self.name))
        let file = try settingsFile(options)
        let section = path.first ?? ""
        var added: [String] = []
        let names = Set(settings.compactMap(\.long))
        for option in settings {
            guard let name = option.long else { continue }
            let twin = name.hasSuffix("-file") ? String(name.dropLast(5)) : "\(name)-file"
            let paired = names.contains(twin)
            if isGiven(option, in: given) || (paired && given.contains("--\(twin)")) { continue }
            if let value = variable(name) {
                if paired, name.hasSuffix("-file"), variable(twin) != nil { continue }
                added += try Self.arguments(option, name, [value], from: Self.variableName(name))
            } else if paired, variable(twin) != nil {
                continue
            } else if let found = file?.values(of: name, in: section) {
                if paired, name.hasSuffix("-file"), file?.values(of: twin, in: section) != nil { continue }
                added += try Self.arguments(option, name, found.values, from: found.place)
            }
        }
        rest.insert(contentsOf: added, at: 0)
        return path + rest
    }

    /// The environment variable of a long option.
    static func variableName(_ option: String) -> String {
        "BURSAR_" + option.uppercased().replacing("-", with: "_")
    }

    /// Empty counts as not set, as compose files and unit files have it.
    private func variable(_ option: String) -> String? {
        environment[Self.variableName(option)].flatMap { $0.isEmpty ? nil : $0 }
    }

    private func settingsFile(_ options: ArraySlice<String>) throws(CommandError) -> SettingsFile? {
        var path = variable("config")
        if let index = options.firstIndex(where: { $0 == "--config" || $0.hasPrefix("--config=") }) {
            let next = options.index(after: index)
            if options[index] != "--config" {
                path = String(options[index].dropFirst("--config=".count))
            } else {
                path = next < options.endIndex ? options[next] : nil
            }
        }
        guard let path else { return nil }
        return try SettingsFile(path: path, tree: tree)
    }

    private static func name(_ argument: String) -> String {
        String(argument.prefix { $0 != "=" })
    }

    private func isGiven(_ option: CommandTree.Option, in given: Set<String>) -> Bool {
        (option.names ?? []).contains { name in
            name.kind == "short"
                ? given.contains { !$0.hasPrefix("--") && $0.contains(name.name) } : given.contains("--\(name.name)")
        }
    }

    private static func arguments(
        _ option: CommandTree.Option, _ name: String, _ values: [String], from place: String
    ) throws(CommandError) -> [String] {
        if option.isFlag {
            switch values.first?.lowercased() {
            case "true", "1", "yes": return ["--\(name)"]
            case "false", "0", "no": return []
            default: throw CommandError(.usage, "\(place): '\(name)' is true or false")
            }
        }
        guard option.isRepeating else { return ["--\(name)=\(values.joined(separator: ","))"] }
        let parts = values.count == 1 ? values[0].split(separator: ",").map(String.init) : values
        return parts.map { "--\(name)=\($0)" }
    }
}
