// The listeners of a gateway process: ports, TLS, the admin door, and a drain that comes before the end.

import AsyncHTTPClient
import Foundation
import GatewayNode
import HTTPSupport
import NIOCore
import NIOHTTP1
import NIOSSL
import RedisClient
import ServiceLifecycle
import Synchronization
import Testing

@testable import GatewayHTTP

@Suite("Gateway server")
struct GatewayServerTests {
    @Test("Both listeners tell their ports, TLS works, and /readyz says no before the end")
    func lifeOfAServer() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(
            path: "bursar-tls-\(UInt64.random(in: 0 ... .max))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let files = try await Self.certificate(in: folder)

        var configuration = GatewayServerConfiguration(
            listener: ListenerConfiguration(address: .host("127.0.0.1", port: 0), tls: files),
            admin: ListenerConfiguration(address: .host("127.0.0.1", port: 0)))
        configuration.drainDelay = .seconds(2)
        configuration.settings.metrics = { "bursar_up 1\n" }
        // Nothing listens there: health does not depend on Redis.
        let redis = RedisClient(
            configuration: try RedisConfiguration(url: "unix:///nonexistent/redis"), logger: silentLogger)
        let node = GatewayNode(
            configuration: GatewayNodeConfiguration(nodeID: "g1"), redis: redis, relay: NoRelay(), logger: silentLogger)
        let bound = AsyncStream<(GatewayServer.Door, ListenAddress)>.makeStream()
        let server = try GatewayServer(configuration, node: node, logger: silentLogger) {
            bound.continuation.yield(($0, $1))
        }
        let group = ServiceGroup(configuration: .init(services: [server], logger: silentLogger))
        let running = Task { try await group.run() }
        var ports: [GatewayServer.Door: Int] = [:]
        for await (door, address) in bound.stream {
            if case .host(_, let port) = address { ports[door] = port }
            if ports.count == 2 { break }
        }
        let main = "https://127.0.0.1:\(try #require(ports[.main]))"
        let admin = "http://127.0.0.1:\(try #require(ports[.admin]))"

        var tls = TLSConfiguration.makeClientConfiguration()
        tls.certificateVerification = .none
        let client = HTTPClient(
            eventLoopGroupProvider: .singleton, configuration: .init(tlsConfiguration: tls))
        func status(_ url: String) async throws -> UInt {
            try await client.execute(HTTPClientRequest(url: url), timeout: .seconds(10)).status.code
        }
        let alive = try await status(main + "/healthz")
        #expect(alive == 200)
        let metrics = try await status(admin + "/metrics")
        #expect(metrics == 200)
        let closed = try await status(main + "/metrics")
        #expect(closed == 401)
        let noDecisions = try await status(admin + "/v1/accounts/x")
        #expect(noDecisions == 404)

        await group.triggerGracefulShutdown()
        // Draining: still alive, but load balancers are told to turn away.
        let code = try await Self.code(client, admin + "/readyz", until: "draining")
        #expect(code == "draining")
        let draining = try await status(main + "/healthz")
        #expect(draining == 200)
        try await running.value
        await #expect(throws: (any Error).self) { _ = try await status(main + "/healthz") }
        try await client.shutdown()
    }

    @Test("A certificate that cannot be read is refused at the start")
    func badCertificate() {
        #expect(throws: ListenerError.self) {
            _ = try Listener(
                ListenerConfiguration(
                    address: .host("127.0.0.1", port: 0),
                    tls: TLSFiles(certificateChain: "/nonexistent.crt", privateKey: "/nonexistent.key")),
                routes: RouteTable([]), logger: silentLogger)
        }
    }

    /// The code of a problem, asked for until it is the expected one, for at most a second.
    private static func code(_ client: HTTPClient, _ url: String, until expected: String) async throws -> String {
        var code = ""
        for _ in 0..<50 where code != expected {
            let answer = try await client.execute(HTTPClientRequest(url: url), timeout: .seconds(10))
            code = JSONPeek.text(try await answer.body.collect(upTo: 10_000), ["code"]) ?? ""
            try await Task.sleep(for: .milliseconds(20))
        }
        return code
    }

    private static func certificate(in folder: URL) async throws -> TLSFiles {
        let files = TLSFiles(
            certificateChain: folder.appending(path: "server.crt").path,
            privateKey: folder.appending(path: "server.key").path)
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
            "2",
            "-subj", "/CN=127.0.0.1", "-keyout", files.privateKey, "-out", files.certificateChain,
        ]
        process.standardError = FileHandle.nullDevice
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            process.terminationHandler = { _ in continuation.resume() }
            do { try process.run() } catch { continuation.resume(throwing: error) }
        }
        try #require(process.terminationStatus == 0, "openssl made no certificate")
        return files
    }
}
