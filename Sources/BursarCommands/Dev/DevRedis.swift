// The private Redis of `bursar dev`: its own folder, a socket in the file system, no port.

import Foundation

/// A folder with a redis-server in it.
struct DevRedis: Sendable {
    let folder: URL
    let process: ChildProcess

    var url: String { "unix://\(socket)" }
    private var socket: String { folder.appending(path: "redis.sock").path }

    /// redis-server doesn't look at its standard input, so a shell does: when that ends, gateways get five seconds to
    /// give their slices back, then Redis gets its SIGTERM and the folder goes. The waiting part is a process of its own,
    /// which also works when the shell is killed.
    private static let script = """
        folder=$1
        shift
        exec 3<&0
        redis-server "$@" </dev/null 3<&- &
        redis=$!
        (
            trap '' TERM
            cat <&3
            tenths=0
            while kill -0 "$redis" && [ "$tenths" -lt 50 ]; do sleep 0.1; tenths=$((tenths + 1)); done
            kill "$redis"
            while kill -0 "$redis"; do sleep 0.1; done
            rm -rf "$folder"
        ) >/dev/null 2>&1 &
        trap 'kill "$redis" 2>/dev/null' TERM
        while kill -0 "$redis" 2>/dev/null; do wait "$redis"; code=$?; done
        exit "$code"
        """

    /// - Throws: when there is no redis-server, or it doesn't come up.
    static func start(environment: [String: String]) async throws -> DevRedis {
        let folder = FileManager.default.temporaryDirectory.appending(path: "bursar-dev-\(Secret.random().prefix(8))")
        // Only for this user: whoever reaches the socket may change the books.
        try FileManager.default.createDirectory(
            at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let arguments = [
            "--port", "0", "--unixsocket", folder.appending(path: "redis.sock").path, "--unixsocketperm", "700",
            "--dir", folder.path, "--save", "", "--appendonly", "yes", "--maxmemory-policy", "noeviction",
            "--loglevel", "warning",
        ]
        do {
            let process = try ChildProcess(
                name: "redis-server", executable: "/bin/sh", arguments: ["-c", script, "sh", folder.path] + arguments,
                environment: environment)
            let redis = DevRedis(folder: folder, process: process)
            try await redis.waitForSocket()
            return redis
        } catch {
            try? FileManager.default.removeItem(at: folder)
            throw error
        }
    }

    private func waitForSocket() async throws {
        let deadline = ContinuousClock.now + .seconds(10)
        while !FileManager.default.fileExists(atPath: socket) {
            guard process.isRunning else {
                throw CommandError(.failed, "redis-server ended; is it installed? (`make setup`)")
            }
            guard ContinuousClock.now < deadline else {
                await process.stop(within: .seconds(1))
                throw CommandError(.failed, "redis-server does not come up")
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    func stop() async {
        await process.stop(within: .seconds(5))
        // Its data were for this run only.
        try? FileManager.default.removeItem(at: folder)
    }
}
