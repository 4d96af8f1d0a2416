// A gateway or console as a process: its address, its log and how it ends.

import BursarCommands
import Foundation
import Synchronization

package final class ServerChild: Sendable {
    package let name: String
    package let url: String
    package let process: ChildProcess
    private let log: String
    private let code = Mutex<Int32?>(nil)

    /// Starts `bursar` with these arguments and waits until it says where it listens.
    ///
    /// - Throws: ``ProcessFailure`` with its log.
    package static func start(
        _ name: String, _ arguments: [String], log: String, environment: [String: String]
    ) async throws -> ServerChild {
        let child = try Program.start(
            try Program.path(), arguments + ["--exit-on-stdin-close"], errors: log,
            environment: Program.environment(environment))
        return try await child.killed(after: .seconds(30)) {
            let prefix = "listening on "
            for await line in child.lines where line.hasPrefix(prefix) {
                return ServerChild(name, String(line.dropFirst(prefix.count)), child, log)
            }
            throw ProcessFailure(
                "\(name) does not listen: \((try? String(contentsOfFile: log, encoding: .utf8)) ?? "")")
        }
    }

    private init(_ name: String, _ url: String, _ process: ChildProcess, _ log: String) {
        (self.name, self.url, self.process, self.log) = (name, url, process, log)
    }

    /// HOST:PORT.
    package var address: String { url.replacing("http://", with: "") }
    package var logText: String { (try? String(contentsOfFile: log, encoding: .utf8)) ?? "" }

    /// The exit code, as soon as there is one.
    package func end() async -> Int32 {
        if let known = code.withLock({ $0 }) { return known }
        let ended = await process.end()
        code.withLock { $0 = ended }
        return ended
    }

    /// SIGTERM, and SIGKILL after a while.
    ///
    /// - Returns: the exit code.
    @discardableResult
    package func stop() async -> Int32 {
        await process.stop(within: .seconds(30))
        return await end()
    }

    /// kill -9, and waits for the end.
    package func kill() async {
        process.kill()
        _ = await end()
    }

    /// SIGSTOP and SIGCONT.
    package func pause() { process.signal(SIGSTOP) }
    package func resume() { process.signal(SIGCONT) }
}
