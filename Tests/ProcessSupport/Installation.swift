// What a user has after the first minutes: a Redis, a console, gateways, and an organisation made by `bursar apply`. All
// are processes of their own, and all are gone when the test ends, however it ends.

import BursarCommands
import Foundation
import NIOHTTP1
import Synchronization
import TestSupport

/// Engineering may use 100,000 tokens a year; search, below it, spends them, and legal below search.
package final class Installation: Sendable {
    package static let adminToken = "bootstrap-of-this-test"
    package static let allowance: Int64 = 100_000
    package static let file = """
        organisation: {id: default, timezone: UTC, unpriced: free}
        accounts:
        - id: engineering
          parent: default
          budgets: {tokens: {unit: tokens, amount: 100000, period: {every: year}}}
        - id: search
          parent: engineering
          keys: [{name: ci, role: proxy}]
        - id: legal
          parent: search
        """

    private struct State {
        var servers: [ServerChild] = []
        var console: ServerChild?
        var key = ""
    }

    package let redis: RedisServer
    /// Of this installation's files; removed at its end.
    package let folder: URL
    private let state = Mutex(State())

    package var console: String { state.withLock { $0.console?.url ?? "" } }
    /// A proxy key of the account `engineering/search`, which all gateways of this installation are called with.
    package var key: String { state.withLock { $0.key } }
    package var organisationFile: String { folder.appending(path: "org.yaml").path }

    private init(_ redis: RedisServer) throws {
        self.redis = redis
        folder = URL(filePath: "/tmp/bursar-e2e-\(UInt64.random(in: 0 ... .max))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try Self.file.write(toFile: organisationFile, atomically: true, encoding: .utf8)
    }

    /// Runs `body` with a console, and with the organisation of ``file`` unless the test makes one.
    ///
    /// - Parameter redis: added to redis-server's command line.
    package static func with(
        redis arguments: [String] = [], applied: Bool = true, _ body: @Sendable (Installation) async throws -> Void
    ) async throws {
        try await withRedis(arguments) { redis in
            let installation = try Installation(redis)
            do {
                try await installation.startConsole()
                if applied { try await installation.apply() }
                try await body(installation)
            } catch {
                await installation.end()
                throw error
            }
            await installation.end()
        }
    }

    private func apply() async throws {
        let result = try await run("apply", "-f", organisationFile)
        guard let key = result.output.firstMatch(of: /bsr_[A-Za-z0-9_]+/) else {
            throw ProcessFailure("apply shows no key: \(result)")
        }
        state.withLock { $0.key = String(key.output) }
    }

    /// A file of this installation.
    package func write(_ name: String, _ text: String) throws -> String {
        let path = folder.appending(path: name).path
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }

    /// A command of an administrator at this console.
    package func run(_ arguments: String...) async throws -> Program.Result {
        try await Program.run(arguments, environment: ["BURSAR_TOKEN": Self.adminToken, "BURSAR_SERVER": console])
    }

    /// Starts one more gateway. It does not wait before it goes, unless `arguments` say so.
    package func gateway(_ name: String, _ arguments: [String] = ["--drain-delay", "0s"]) async throws -> Gateway {
        Gateway(server: try await start(name, ["gateway", "--node-id", name] + arguments), key: key)
    }

    /// Starts the console, again at the address that it had before.
    @discardableResult
    package func startConsole() async throws -> ServerChild {
        let before = state.withLock { $0.console?.address }
        let server = try await start("console", ["console", "--create-organisation", "default"], at: before)
        state.withLock { $0.console = server }
        return server
    }

    /// The console's process.
    package var consoleServer: ServerChild? { state.withLock { $0.console } }

    private func start(_ name: String, _ arguments: [String], at address: String? = nil) async throws -> ServerChild {
        let number = state.withLock { $0.servers.count }
        let server = try await ServerChild.start(
            name, arguments + ["--redis", redis.url, "--listen", address ?? "127.0.0.1:0"],
            log: folder.appending(path: "\(number)-\(name).log").path,
            environment: ["BURSAR_ADMIN_TOKEN": Self.adminToken])
        state.withLock { $0.servers.append(server) }
        return server
    }

    /// At once: a test that wants an end in order asks for it itself.
    private func end() async {
        redis.resume()
        for server in state.withLock({ $0.servers }).reversed() { await server.kill() }
        try? FileManager.default.removeItem(at: folder)
    }

    // MARK: The books

    /// Engineering's figures, through the console.
    package func books() async throws -> Books {
        let answer = try await Answer.to(
            .GET, "\(console)/api/v1/accounts/engineering/budgets/tokens", key: Self.adminToken)
        guard let live = answer.body["live"] else { throw ProcessFailure("no books: \(answer)") }
        return try Books(live)
    }

    /// The books as soon as they are as wanted, or as they are at the deadline.
    ///
    /// - Throws: ``ProcessFailure`` when a reading on the way does not add up.
    package func books(until isWanted: (Books) -> Bool) async throws -> Books {
        try await eventually(
            {
                let books = try await self.books()
                guard books.sum == Self.allowance else { throw ProcessFailure("the books do not add up: \(books)") }
                return books
            }, until: isWanted)
    }
}

/// Figures in tokens.
package struct Books: Sendable, Hashable {
    package var available: Int64
    package var spent: Int64
    package var leased: Int64
    package var inDoubt: Int64

    /// The allowance, if the books are right.
    package var sum: Int64 { available + spent + leased + inDoubt }

    init(_ live: JSONValue) throws {
        func figure(_ name: String) throws -> Int64 {
            guard let value = live[name].flatMap({ Int64($0.text) }) else {
                throw ProcessFailure("no \(name) in \(live.compact)")
            }
            return value
        }
        available = try figure("available")
        spent = try figure("spent")
        leased = try figure("leased")
        inDoubt = try figure("in_doubt")
    }
}
