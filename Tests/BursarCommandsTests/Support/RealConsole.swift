// A console over a redis-server of its own, for what only a real one can tell.

import AsyncHTTPClient
import Console
import HTTPSupport
import Logging
import NIOCore
import RedisClient
import ServiceLifecycle
import TestSupport

@testable import BursarCommands

enum RealConsole {
    static let token = "bootstrap-of-this-test"

    struct NoAnswer: Error {}

    /// Runs `body` with a client of a console that has no organisation yet, then stops all.
    static func with(_ body: @Sendable (ConsoleClient) async throws -> Void) async throws {
        let redisServer = try await RedisServer.start()
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let redis = RedisClient(configuration: try RedisConfiguration(url: redisServer.url), logger: logger)
        var configuration = ConsoleServer.Configuration(
            listener: ListenerConfiguration(address: .host("127.0.0.1", port: 0)))
        configuration.settings.adminToken = token
        let (bound, isBound) = AsyncStream.makeStream(of: String.self)
        let console = try ConsoleServer(configuration, redis: redis, logger: logger) { isBound.yield("http://\($0)") }
        let group = ServiceGroup(configuration: .init(services: [redis, console], logger: logger))
        let running = Task { try await group.run() }
        let http = ConsoleClient.makeHTTPClient(timeout: .seconds(10), caFile: nil)
        do {
            guard let base = await bound.first(where: { _ in true }) else { throw NoAnswer() }
            try await body(
                ConsoleClient(
                    base: base, token: token, organisation: DemoOrganisation.id, timeout: .seconds(10), http: http))
        } catch {
            try await http.shutdown()
            await group.triggerGracefulShutdown()
            _ = await running.result
            await redisServer.stop()
            throw error
        }
        try await http.shutdown()
        await group.triggerGracefulShutdown()
        try await running.value
        await redisServer.stop()
    }
}
