// One redis-server with a folder and a port of its own, killed and started again by faults.

import BursarCommands
import Foundation
import ProcessSupport
import Synchronization

final class RedisProcess: Sendable {
    let port: Int
    let folder: String
    /// What stands before `redis-server ...` on the command line, such as a change of the mount namespace.
    private let wrapper: [String]
    private let arguments: [String]
    private let child = Mutex<ChildProcess?>(nil)

    /// - Parameter arguments: added to a command line with the port, the folder and no snapshots.
    init(port: Int, folder: String, wrapper: [String] = [], arguments: [String]) {
        (self.port, self.folder, self.wrapper, self.arguments) = (port, folder, wrapper, arguments)
    }

    static let anyClient = ["--bind", "127.0.0.1", "--save", "", "--enable-debug-command", "yes"]

    var pid: Int32? { child.withLock { $0?.pid } }
    var isRunning: Bool { child.withLock { $0?.isRunning ?? false } }

    /// Starts it, and waits until it answers and has read what it wrote before.
    func start() async throws {
        try launch()
        try await patiently("redis-server on port \(port) answers") { try await self.ask("PING") == "PONG" }
    }

    func launch() throws {
        let line = wrapper + ["redis-server"] + arguments + ["--port", "\(port)", "--dir", folder]
        let process = try Program.start(
            "/usr/bin/env", line, errors: "/dev/null", environment: Program.environment())
        child.withLock { $0 = process }
    }

    /// kill -9, and waits until it is gone.
    func kill() async throws {
        guard let process = child.withLock({ $0.take() }) else { return }
        process.kill()
        try await patiently("redis-server on port \(port) is gone") { !process.isRunning }
    }

    /// As ``kill()``, without waiting: for an end that may come at any time.
    func end() { child.withLock { $0.take() }?.kill() }

    /// One command by redis-cli.
    ///
    /// - Returns: its output; an error reply is output like any other.
    /// - Throws: when the server can't be reached.
    @discardableResult
    func ask(_ words: String...) async throws -> String { try await ask(words) }

    @discardableResult
    func ask(_ words: [String]) async throws -> String {
        let result = try await Program.run(
            ["redis-cli", "-p", "\(port)"] + words, executable: "/usr/bin/env", within: .seconds(15))
        guard result.code == 0 else { throw ChaosFailure("redis-cli \(words): \(result)") }
        return result.output
    }

    /// A command that must be answered by OK.
    func order(_ words: String...) async throws {
        let answer = try await ask(words)
        guard answer == "OK" else { throw ChaosFailure("\(words.joined(separator: " ")): \(answer)") }
    }

    /// The value of a line `name:value`, as INFO and CLUSTER INFO have them.
    static func field(_ name: String, in text: String) -> String? {
        text.split(whereSeparator: \.isNewline).first { $0.hasPrefix("\(name):") }
            .map { $0.dropFirst(name.count + 1).trimmingCharacters(in: .whitespaces) }
    }
}
