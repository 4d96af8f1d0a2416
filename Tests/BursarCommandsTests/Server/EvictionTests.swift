// A Redis that may evict keys is refused, as far as one can ask it.

import Logging
import RedisClient
import TestSupport
import Testing
import TopologySupport

@testable import BursarCommands

@Suite("The memory policy of Redis")
struct EvictionTests {
    private func guardian(_ server: RedisServer, user: String? = nil) async throws -> EvictionGuard? {
        try await guardian(server.url, user: user)
    }

    private func guardian(_ url: String, user: String? = nil) async throws -> EvictionGuard? {
        var configuration = try RedisConfiguration(url: url)
        if let user { (configuration.username, configuration.password) = (user, "p") }
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let later = RedisClient(configuration: configuration, logger: logger)
        return try await EvictionGuard.atStart(configuration, later: later, logger: logger)
    }

    @Test("noeviction is accepted, with or without a limit")
    func accepted() async throws {
        let server = try await RedisServer.start(["--maxmemory", "100mb"])
        #expect(try await guardian(server) == nil)
    }

    @Test("A policy that evicts is refused, and named", arguments: ["allkeys-lru", "volatile-ttl"])
    func refused(policy: String) async throws {
        let server = try await RedisServer.start(["--maxmemory", "100mb", "--maxmemory-policy", policy])
        let error = await #expect(throws: CommandError.self) { _ = try await guardian(server) }
        #expect(error?.message.contains(policy) == true)
    }

    @Test("Where CONFIG is not allowed, INFO tells")
    func withoutConfig() async throws {
        let server = try await RedisServer.start([
            "--maxmemory-policy", "allkeys-lfu", "--user", "u", "on", ">p", "~*", "&*", "+@all", "-config",
        ])
        let error = await #expect(throws: CommandError.self) { _ = try await guardian(server, user: "u") }
        #expect(error?.message.contains("allkeys-lfu") == true)
    }

    @Test("Where nothing may be asked, the start goes on")
    func withoutAnything() async throws {
        let server = try await RedisServer.start([
            "--maxmemory-policy", "allkeys-lfu", "--user", "u", "on", ">p", "~*", "&*", "+@all", "-config", "-info",
        ])
        #expect(try await guardian(server, user: "u") == nil)
    }

    @Test("A Redis that is not there yet is asked later")
    func notThere() async throws {
        let server = try await RedisServer.start()
        await server.stop()
        #expect(try await guardian(server) != nil)
    }

    @Test("In a cluster one primary that may evict is enough to be refused")
    func cluster() async throws {
        let cluster = try await TestCluster.start(replicated: false)
        #expect(try await guardian(cluster.url) == nil)
        for node in cluster.primaries {
            try await ask(node, "CONFIG", "SET", "maxmemory-policy", "volatile-lru")
            let error = await #expect(throws: CommandError.self) { _ = try await guardian(cluster.url) }
            #expect(error?.message.contains("volatile-lru") == true)
            #expect(error?.message.contains("127.0.0.1:\(node.port)") == true)
            try await ask(node, "CONFIG", "SET", "maxmemory-policy", "noeviction")
        }
    }
}
