// A real redis-server of a test's own, in a folder of its own, that can be killed, frozen and started again.

import Foundation
import Synchronization
import TestSupport

/// A server without persistence, unless its arguments say otherwise. Its process ends with it.
package final class LoopbackServer: Sendable {
    /// Tests that need a server fail without it; they don't skip.
    package struct NotInstalled: Error, CustomStringConvertible {
        let program: String
        package var description: String { "\(program) is not on the PATH; these tests need it" }
    }

    package let folder: URL
    /// For tests that need TCP; nothing listens there unless the arguments name it.
    package let port: Int
    private let arguments: [String]
    private let process = Mutex<Process?>(nil)

    /// A server on a Unix socket, not started yet. `arguments` are added to its command line; `{folder}`, `{port}` and
    /// `{bus}` (a second port) stand for its own.
    package init(_ arguments: [String] = []) throws {
        folder = URL(filePath: "/tmp/redis-client-\(UInt32.random(in: 0 ... .max))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        port = try LoopbackPort.free()
        let (path, number, bus) = (folder.path, "\(port)", "\(try LoopbackPort.free())")
        self.arguments =
            [
                "--save", "", "--appendonly", "no", "--port", "0", "--unixsocket", folder.appending(path: "s").path,
                "--dir", folder.path, "--enable-debug-command", "yes",
            ]
            + arguments.map {
                $0.replacing("{folder}", with: path).replacing("{port}", with: number).replacing("{bus}", with: bus)
            }
    }

    /// A Sentinel, not started yet, with these lines in its configuration.
    package init(sentinel lines: [String]) throws {
        folder = URL(filePath: "/tmp/redis-client-\(UInt32.random(in: 0 ... .max))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        port = try LoopbackPort.free()
        let file = folder.appending(path: "sentinel.conf")
        let own = ["port \(port)", "bind 127.0.0.1", "dir \(folder.path)", "unixsocket \(folder.path)/s"]
        try (own + lines).joined(separator: "\n").appending("\n").write(to: file, atomically: true, encoding: .utf8)
        arguments = [file.path, "--sentinel"]
    }

    deinit {
        kill()
        try? FileManager.default.removeItem(at: folder)
    }

    /// Over its Unix socket.
    package var url: String { "unix://\(folder.path)/s" }

    package func start() throws {
        let process = Process()
        process.executableURL = try Self.find("redis-server")
        process.arguments = arguments
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        self.process.withLock { $0 = process }
    }

    /// kill -9, and waits for the end.
    package func kill() {
        guard let process = process.withLock({ $0.take() }) else { return }
        Foundation.kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    /// Stops the process in its tracks: connections stay open and nothing is answered.
    package func freeze() { signal(SIGSTOP) }

    /// Undoes ``freeze()``.
    package func thaw() { signal(SIGCONT) }

    private func signal(_ number: Int32) {
        process.withLock { process in
            if let process { Foundation.kill(process.processIdentifier, number) }
        }
    }

    package static func find(_ program: String) throws -> URL {
        for folder in (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":") {
            let file = "\(folder)/\(program)"
            if FileManager.default.isExecutableFile(atPath: file) { return URL(filePath: file) }
        }
        throw NotInstalled(program: program)
    }
}
