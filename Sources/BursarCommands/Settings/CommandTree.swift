// What commands and options there are, read from the argument parser's own description of itself: the names of options
// are the names of settings, and stand in one place.

import ArgumentParser
import Foundation

/// One command with its options and subcommands.
struct CommandTree: Decodable, Sendable {
    struct Option: Decodable, Sendable {
        struct Name: Decodable, Sendable {
            var kind: String
            var name: String
        }
        var kind: String
        var isRepeating: Bool
        var names: [Name]?

        /// Nil for positional arguments.
        var long: String? { names?.first { $0.kind == "long" }?.name }
        var isFlag: Bool { kind == "flag" }
    }

    var commandName: String
    var aliases: [String]?
    var defaultSubcommand: String?
    var subcommands: [CommandTree]?
    var arguments: [Option]?

    /// Options that can be set elsewhere than on the command line.
    var settings: [Option] {
        (arguments ?? []).filter { option in option.long.map { !Self.notSettings.contains($0) } ?? false }
    }

    /// They are about one call.
    private static let notSettings: Set<String> = ["help", "version", "config"]

    func subcommand(_ name: String) -> CommandTree? {
        subcommands?.first { $0.commandName == name || $0.aliases?.contains(name) == true }
    }

    /// This command and all below.
    var all: [CommandTree] { [self] + (subcommands ?? []).flatMap(\.all) }

    static func of(_ command: any ParsableCommand.Type) throws -> CommandTree {
        struct Tool: Decodable { var command: CommandTree }
        return try JSONDecoder().decode(Tool.self, from: Data(command._dumpHelp().utf8)).command
    }
}
