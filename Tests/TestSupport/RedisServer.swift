// A real redis-server of a test's own: on a socket in a folder of its own, started, killed and started again by the test.

import Foundation
import Synchronization

/// A private redis-server without persistence. Its process is ended with it.
package final class RedisServer: Sendable {
    /// Why there is no server. Tests that need one fail with it; they don't skip.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    private let folder: URL
    private let arguments: [String]
    private let process = Mutex<Process?>(nil)

    /// For a client's configuration.
    package var url: String { "unix://\(folder.path)/s" }

    /// Starts a server and waits until it answers. `arguments` are added to its command line.
    package static func start(_ arguments: [String] = []) async throws -> RedisServer {
        let server = try RedisServer(arguments)
        try await server.launch()
        return server
    }

    private init(_ arguments: [String]) throws {
        folder = URL(filePath: "/tmp/bursar-redis-\(UInt64.random(in: 0 ... .max))")
        self.arguments = arguments
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    deinit {
        if let process = process.withLock({ $0.take() }) { Foundation.kill(process.processIdentifier, SIGKILL) }
        try? FileManager.default.removeItem(at: folder)
    }

    /// Ends the server in order and waits for the end.
    // Not SIGTERM: a child of a Swift test inherits a mask in which that is blocked.
    package func stop() async { await end(SIGKILL) }

    /// kill -9, and waits for the end.
    package func kill() async { await end(SIGKILL) }

    /// Ends the server, if it runs, and starts it again: all that it did not write down is gone, and its run id is another.
    package func restart() async throws {
        await kill()
        try await launch()
    }

    /// SIGSTOP: it keeps its connections and answers nobody.
    package func pause() { signal(SIGSTOP) }

    /// SIGCONT.
    package func resume() { signal(SIGCONT) }

    private func signal(_ number: Int32) {
        process.withLock { if let process = $0 { _ = Foundation.kill(process.processIdentifier, number) } }
    }

    private func launch() async throws {
        let process = Process()
        process.executableURL = try Self.find("redis-server")
        process.arguments =
            [
                "--save", "", "--appendonly", "no", "--port", "0", "--unixsocket", folder.appending(path: "s").path,
                "--dir", folder.path, "--enable-debug-command", "yes",
            ] + arguments
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        self.process.withLock { $0 = process }
        for _ in 0..<1000 {
            if answers() { return }
            guard process.isRunning else { throw Failure(description: "redis-server ended at once") }
            try await Task.sleep(for: .milliseconds(10))
        }
        throw Failure(description: "redis-server does not answer")
    }

    private func end(_ signal: Int32) async {
        guard let process = process.withLock({ $0.take() }) else { return }
        Foundation.kill(process.processIdentifier, signal)
        for _ in 0..<1000 where Self.runs(process) {
            // A cancelled test still waits for its server's end.
            await Task.detached { try? await Task.sleep(for: .milliseconds(5)) }.value
        }
        if Self.runs(process) { Foundation.kill(process.processIdentifier, SIGKILL) }
    }

    /// Foundation learns of a process' end only when a run loop turns; the kernel knows at once.
    private static func runs(_ process: Process) -> Bool {
        guard process.isRunning else { return false }
        guard let status = try? String(contentsOfFile: "/proc/\(process.processIdentifier)/stat", encoding: .utf8)
        else {
            return !FileManager.default.fileExists(atPath: "/proc/self/stat")
        }
        return status.split(separator: ")").last?.split(separator: " ").first != "Z"
    }

    /// Whether a PING on the socket is answered by a PONG.
    private func answers() -> Bool {
        #if canImport(Darwin)
            let kind = SOCK_STREAM
        #else
            let kind = Int32(SOCK_STREAM.rawValue)
        #endif
        let socket = socket(AF_UNIX, kind, 0)
        guard socket >= 0 else { return false }
        defer { close(socket) }
        var patience = timeval(tv_sec: 1, tv_usec: 0)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let path = Array(folder.appending(path: "s").path.utf8)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
        let isConnected = withUnsafePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
        guard isConnected, send(socket, "PING\r\n", 6, 0) == 6 else { return false }
        var answer = [UInt8](repeating: 0, count: 7)
        let count = recv(socket, &answer, 7, 0)
        return count >= 5 && answer.starts(with: Array("+PONG".utf8))
    }

    private static func find(_ program: String) throws -> URL {
        for folder in (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":") {
            let file = "\(folder)/\(program)"
            if FileManager.default.isExecutableFile(atPath: file) { return URL(filePath: file) }
        }
        throw Failure(description: "\(program) is not on the PATH; these tests need it")
    }
}

/// Runs `body` with a server of its own, which ends with it.
package func withRedis<Result: Sendable>(
    _ arguments: [String] = [], isolation: isolated (any Actor)? = #isolation,
    _ body: (RedisServer) async throws -> Result
) async throws -> Result {
    let server = try await RedisServer.start(arguments)
    do {
        let result = try await body(server)
        await server.stop()
        return result
    } catch {
        await server.stop()
        throw error
    }
}
