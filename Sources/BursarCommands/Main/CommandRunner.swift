// From the process's arguments to its exit code.

import ArgumentParser
import Foundation

/// Runs one command line.
package enum CommandRunner {
    /// The process's entry: resolves settings, runs the command, ends the process.
    package static func main() async -> Never {
        let arguments = Array(CommandLine.arguments.dropFirst())
        do {
            try await run(arguments, environment: ProcessInfo.processInfo.environment)
            exit(0)
        } catch let error as CommandError {
            Terminal.error("bursar: \(error)")
            exit(error.code.rawValue)
        } catch let error as CancellationError {
            BursarCommand.exit(withError: error)
        } catch {
            BursarCommand.exit(withError: error)
        }
    }

    /// - Throws: ``CommandError``, errors of the argument parser (help and version included), errors of services.
    package static func run(_ arguments: [String], environment: [String: String]) async throws {
        let resolver = SettingsResolver(tree: CommandTree(BursarCommand.self), environment: environment)
        let resolved = try resolver.resolve(arguments)
        var command = try BursarCommand.parseAsRoot(resolved)
        if var asynchronous = command as? any AsyncParsableCommand {
            try await asynchronous.run()
        } else {
            try command.run()
        }
    }
}
