// The processes of `bursar dev`: started in order, stopped in reverse, and all of them when one ends.

import Foundation
import Synchronization

final class DevStack: Sendable {
    private struct State {
        var redis: DevRedis?
        /// In the order of start.
        var children: [ChildProcess] = []
        var cleanups: [@Sendable () async -> Void] = []
        var isInterrupted = false
        var starting: Task<Void, any Error>?
    }

    /// Gateways give back their slices within this.
    private static let stopTime = Duration.seconds(15)

    let token: String
    private let logLevel: String
    private let state = Mutex(State())
    /// Why it is over: the name of the child that ended; nil for a signal.
    private let ends: AsyncStream<String?>
    private let end: AsyncStream<String?>.Continuation

    init(token: String, logLevel: String) {
        self.token = token
        self.logLevel = logLevel
        (ends, end) = AsyncStream.makeStream(of: String?.self)
    }

    /// Runs the start; a signal meanwhile cancels it.
    func unlessInterrupted(_ start: @escaping @Sendable () async throws -> Void) async throws {
        let task = Task { try await start() }
        let isInterrupted = state.withLock { state in
            state.starting = task
            return state.isInterrupted
        }
        if isInterrupted { task.cancel() }
        try await task.value
        state.withLock { $0.starting = nil }
    }

    func interrupt() {
        let task = state.withLock { state in
            state.isInterrupted = true
            return state.starting
        }
        task?.cancel()
        end.yield(nil)
    }

    func onStop(_ cleanup: @escaping @Sendable () async -> Void) { state.withLock { $0.cleanups.append(cleanup) } }

    /// - Returns: which child ended, nil after a signal.
    func firstEnd() async -> String? { await ends.first { _ in true } ?? nil }

    func startRedis() async throws {
        let redis = try await DevRedis.start(environment: environment)
        state.withLock { $0.redis = redis }
        watch(redis.process)
    }

    /// - Returns: its URL.
    func startConsole(port: Int) async throws -> String {
        let free = try await FreePort.find(host: "127.0.0.1", preferred: port)
        return try await start("console", ["console", "--listen", "127.0.0.1:\(free)"])
    }

    /// - Parameter port: a free one; other gateways may start at the same time.
    /// - Returns: its URL.
    func startGateway(number: Int, port: Int) async throws -> String {
        try await start(
            "gateway \(number)",
            // Nobody balances load over them: there is nothing to wait for when they end.
            ["gateway", "--listen", "127.0.0.1:\(port)", "--node-id", "g\(number)", "--drain-delay", "0s"])
    }

    private func start(_ name: String, _ arguments: [String]) async throws -> String {
        try Task.checkCancellation()
        guard let url = state.withLock({ $0.redis?.url }) else { throw CommandError(.failed, "there is no Redis") }
        let common = ["--redis", url, "--log-level", logLevel, "--exit-on-stdin-close"]
        // Not on the command line, where every user of the machine could read it.
        let variables = environment.merging(["BURSAR_ADMIN_TOKEN": token]) { $1 }
        let child = try ChildProcess(
            name: name, executable: try Self.executable(), arguments: arguments + common, environment: variables)
        state.withLock { $0.children.append(child) }
        let timer = Task {
            try await Task.sleep(for: .seconds(20))
            child.kill()
        }
        defer { timer.cancel() }
        let prefix = "listening on "
        for await line in child.lines where line.hasPrefix(prefix) {
            watch(child)
            return String(line.dropFirst(prefix.count))
        }
        try Task.checkCancellation()
        throw CommandError(.failed, "\(name) did not start")
    }

    private func watch(_ child: ChildProcess) {
        let end = end
        Task {
            for await code in child.exits { end.yield("\(child.name) ended with exit code \(code)") }
        }
    }

    /// Gateways first, which give their slices back; Redis last.
    func stop() async {
        let (children, redis, cleanups) = state.withLock { state in
            defer { state.cleanups = [] }
            return (state.children, state.redis, state.cleanups)
        }
        for cleanup in cleanups.reversed() { await cleanup() }
        await withDiscardingTaskGroup { group in
            for child in children.dropFirst() { group.addTask { await child.stop(within: Self.stopTime) } }
        }
        if let console = children.first { await console.stop(within: Self.stopTime) }
        await redis?.stop()
    }

    /// For who is in a hurry. The folder stays to `stop`, which still runs.
    func killAll() {
        let (children, redis) = state.withLock { ($0.children, $0.redis) }
        for child in children { child.kill() }
        redis?.process.kill()
    }

    /// Settings of this process are not those of its children.
    private var environment: [String: String] {
        ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("BURSAR_") }
    }

    private static func executable() throws(CommandError) -> String {
        guard let path = Bundle.main.executablePath else {
            throw CommandError(.failed, "the path of this program is not known")
        }
        return path
    }
}
