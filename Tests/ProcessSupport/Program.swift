// The program under test as a user runs it: the built executable beside the tests' own, its output and its exit code.

import BursarCommands
import Foundation

/// Why a process is not as the test needs it.
package struct ProcessFailure: Error, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }
}

package enum Program {
    /// How one run ended.
    package struct Result: Sendable, CustomStringConvertible {
        package var code: Int32
        package var output: String
        package var errors: String

        /// What it printed with `--json`; null when that is no JSON.
        package var json: JSONValue {
            (try? JSONDecoder().decode(JSONValue.self, from: Data(output.utf8))) ?? .null
        }
        package var description: String { "exit code \(code)\n\(output)\n\(errors)" }
    }

    /// The built `bursar`.
    ///
    /// - Throws: ``ProcessFailure`` when it is not there: tests that need it fail.
    package static func path() throws -> String {
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let path = URL(filePath: own).deletingLastPathComponent().appending(path: "bursar").path
        guard FileManager.default.isExecutableFile(atPath: path) else {
            throw ProcessFailure("\(path) is not built; these tests need it")
        }
        return path
    }

    /// The environment of whatever is started here: settings of who runs the tests are not those of what they start, and
    /// the mark of this run is in it.
    package static func environment(_ more: [String: String] = [:]) -> [String: String] {
        ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("BURSAR_") }
            .merging([ProcessTable.markName: ProcessTable.mark]) { $1 }
            .merging(more) { $1 }
    }

    /// Starts any program. Its standard input ends with this process.
    ///
    /// - Parameter errors: the file that takes its standard error.
    package static func start(
        _ executable: String, _ arguments: [String], errors: String, environment: [String: String]
    ) throws -> ChildProcess {
        // `exec` keeps the process' number.
        try ChildProcess(
            name: executable, executable: "/bin/sh",
            arguments: ["-c", #"errors=$1; shift; exec "$@" 2>"$errors""#, "sh", errors, executable] + arguments,
            environment: environment)
    }

    /// Runs a program, `bursar` unless another is named, to its end. One that hangs is killed, which its exit code tells.
    package static func run(
        _ arguments: [String], environment: [String: String] = [:], executable: String? = nil,
        within limit: Duration = .seconds(60)
    ) async throws -> Result {
        let errors = "/tmp/bursar-run-\(UInt64.random(in: 0 ... .max))"
        defer { try? FileManager.default.removeItem(atPath: errors) }
        let child = try start(
            try executable ?? path(), arguments, errors: errors, environment: Self.environment(environment))
        return try await child.killed(after: limit) {
            var lines: [String] = []
            for await line in child.lines { lines.append(line) }
            let code = await child.end()
            let text = (try? String(contentsOfFile: errors, encoding: .utf8)) ?? ""
            return Result(code: code, output: lines.joined(separator: "\n"), errors: text)
        }
    }
}

extension ChildProcess {
    /// Waits for its end; only once.
    ///
    /// - Returns: the exit code, 128 and the number for a signal.
    package func end() async -> Int32 { await exits.first { _ in true } ?? -1 }

    /// Runs `body`, and kills the process when that takes longer than `limit`.
    package func killed<Result: Sendable>(
        after limit: Duration, _ body: () async throws -> Result
    ) async throws -> Result {
        let timer = Task {
            try await Task.sleep(for: limit)
            kill()
        }
        defer { timer.cancel() }
        return try await body()
    }
}
