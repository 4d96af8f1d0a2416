// What commands and options there are, read from the argument parser's own description of itself: the names of options
// are the names of settings, and stand in one place.

import ArgumentParser
import Foundation

/// One command with its options and subcommands. Options are looked up when asked for: a description of all commands
/// would cost every call more than its work.
struct CommandTree {
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

    /// Options about one call, which can't be set elsewhere than on the command line.
    private static let notSettings: Set<String> = ["help", "version", "config"]

    private let type: any ParsableCommand.Type

    init(_ type: any ParsableCommand.Type) { self.type = type }

    var name: String { type._commandName }
    var aliases: [String] { type.configuration.aliases }
    var subcommands: [CommandTree] { type.configuration.subcommands.map(CommandTree.init) }
    /// The subcommand that runs when none is named.
    var defaultSubcommand: CommandTree? { type.configuration.defaultSubcommand.map(CommandTree.init) }

    func subcommand(_ name: String) -> CommandTree? {
        subcommands.first { $0.name == name || $0.aliases.contains(name) }
    }

    /// This command and all below.
    var all: [CommandTree] { [self] + subcommands.flatMap(\.all) }

    /// The options that can be set elsewhere than on the command line.
    ///
    /// - Throws: when the parser describes itself in a form that is not known here.
    func settings() throws(CommandError) -> [Option] {
        struct Tool: Decodable {
            struct Command: Decodable { var arguments: [Option]? }
            var command: Command
        }
        do {
            let tool = try JSONDecoder().decode(Tool.self, from: Data(type._dumpHelp().utf8))
            return (tool.command.arguments ?? []).filter { option in
                option.long.map { !Self.notSettings.contains($0) } ?? false
            }
        } catch {
            throw CommandError(.failed, "the options of \(name) can't be told", cause: error)
        }
    }
}
