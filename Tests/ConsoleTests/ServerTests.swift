// The console as a process has it: a socket, a stream of events over it, and an end in good order.

import Foundation
import HTTPSupport
import Ledger
import Logging
import RedisClient
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing

@testable import Console

@Suite("Server")
struct ServerTests {
    /// Runs a real server and gives its port.
    private func serve(
        create organisation: String? = "default", heartbeat: Duration = .seconds(15),
        _ body: @escaping @Sendable (Int, Ledger, @escaping @Sendable () async -> Void) async throws -> Void
    ) async throws {
        try await withRedis { server in
            var logger = Logger(label: "test")
            logger.logLevel = .critical
            let redis = RedisClient(configuration: try RedisConfiguration(url: server.url), logger: logger)
            var configuration = ConsoleServer.Configuration(listener: .init(address: .host("127.0.0.1", port: 0)))
            configuration.settings.adminToken = LiveConsole.token
            configuration.settings.heartbeat = heartbeat
            configuration.createOrganisation = organisation
            let (ports, port) = AsyncStream<Int>.makeStream()
            let console = try ConsoleServer(configuration, redis: redis, logger: logger) { address in
                if case .host(_, let number) = address { port.yield(number) }
            }
            let group = ServiceGroup(configuration: .init(services: [redis, console], logger: logger))
            let running = Task { try await group.run() }
            let number = try #require(await ports.first { _ in true })
            do {
                try await body(number, Ledger(redis: redis)) { await group.triggerGracefulShutdown() }
            } catch {
                await group.triggerGracefulShutdown()
                _ = await running.result
                throw error
            }
            await group.triggerGracefulShutdown()
            try await running.value
        }
    }

    @Test("It reports the port that it got, makes the organisation that it was told to make, and keeps its secrets")
    func founds() async throws {
        try await serve { port, ledger, _ in
            let founded = try await eventually { (try? await ledger.organisation("default")) != nil }
            #expect(founded)
            let row = try await ledger.organisation("default")
            #expect(try OrganisationSecrets(json: row.secrets).list.count == 1)
            let reply = try await Wire.ask(port, "GET /api/v1/organisations/default", token: LiveConsole.token)
            #expect(reply.hasPrefix("HTTP/1.1 200") && !reply.contains("secrets"))
            #expect(!reply.contains(try OrganisationSecrets(json: row.secrets).list[0].key))
        }
    }

    @Test("Without being told it makes nothing")
    func foundsNothing() async throws {
        try await serve(create: nil) { port, ledger, _ in
            let reply = try await Wire.ask(port, "GET /api/v1/accounts", token: LiveConsole.token)
            #expect(reply.hasPrefix("HTTP/1.1 404"))
            #expect(try await ledger.organisations() == [])
        }
    }

    @Test("Events arrive as they happen, only those that the key may see, and go on after Last-Event-ID")
    func events() async throws {
        try await serve { port, ledger, _ in
            #expect(try await eventually { (try? await ledger.organisation("default")) != nil })
            func make(_ account: String, below parent: String) async throws -> Int64 {
                try await ledger.putAccount(
                    account, parent: parent, record: #"{"name":"\#(account)"}"#, change: Change(actor: "test"),
                    organisation: "default"
                ).version
            }
            _ = try await make("engineering", below: "default")
            let (key, text) = APIKey.generate(organisation: "default")
            let record = KeyRecord(
                id: key.id, account: "engineering", name: "k", role: .viewer, createdMilliseconds: 1,
                sha256: key.sha256Hex)
            let start = try await ledger.putKey(
                key.id, account: "engineering", record: try RecordCoding.json(record), change: Change(actor: "test"),
                organisation: "default"
            ).version
            let all = try Wire(port)
            defer { all.close() }
            let own = try Wire(port)
            defer { own.close() }
            try all.send("GET /api/v1/events", token: LiveConsole.token)
            try own.send("GET /api/v1/events", token: text)
            #expect(try await all.reads("retry:"))
            #expect(try await own.reads("retry:"))
            let sales = try await make("sales", below: "default")
            let search = try await make("search", below: "engineering")
            #expect(try await own.reads("id: \(search)\nevent: account.put\ndata: {"))
            #expect(try await all.reads("id: \(search)\n"))
            #expect(all.text.contains("id: \(sales)\n") && !own.text.contains("sales"))
            // Again from the start of what this key has seen.
            let again = try Wire(port)
            defer { again.close() }
            try again.send("GET /api/v1/events", token: text, headers: ["Last-Event-ID: \(start)"])
            #expect(try await again.reads("id: \(search)\n"))
            #expect(!again.text.contains("id: \(start)\n"))
            // The end of the key is the end of its streams.
            try await ledger.revokeForTest(key.id)
            #expect(try await own.ends())
            #expect(!all.isClosed)
        }
    }

    @Test("An idle stream is kept alive by comments, and a shutdown ends it at once")
    func shutdown() async throws {
        try await serve(heartbeat: .milliseconds(200)) { port, ledger, stop in
            #expect(try await eventually { (try? await ledger.organisation("default")) != nil })
            let wire = try Wire(port)
            defer { wire.close() }
            try wire.send("GET /api/v1/events", token: LiveConsole.token)
            #expect(try await wire.reads(": still here"))
            await stop()
            #expect(try await wire.ends())
        }
    }
}

/// A connection that speaks as little HTTP as the tests need.
final class Wire: Sendable {
    private let descriptor: Int32
    private let state = Mutex((text: "", closed: false))

    init(_ port: Int) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(port)).bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let isConnected = withUnsafePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        guard isConnected else { throw Unexpected(what: "no connection to port \(port)") }
    }

    var text: String { state.withLock { $0.text } }
    var isClosed: Bool { state.withLock { $0.closed } }

    func send(_ line: String, token: String, headers: [String] = []) throws {
        let lines = ["\(line) HTTP/1.1", "Host: localhost", "Authorization: Bearer \(token)"] + headers + ["", ""]
        let bytes = Array(lines.joined(separator: "\r\n").utf8)
        guard Foundation.send(descriptor, bytes, bytes.count, 0) == bytes.count else {
            throw Unexpected(what: "cannot send")
        }
    }

    /// Reads until a text has come.
    func reads(_ part: String) async throws -> Bool {
        try await eventually {
            pull()
            return text.contains(part)
        }
    }

    func ends() async throws -> Bool {
        try await eventually {
            pull()
            return isClosed || text.hasSuffix("0\r\n\r\n")
        }
    }

    private func pull() {
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let count = recv(descriptor, &bytes, bytes.count, Int32(MSG_DONTWAIT))
        state.withLock { state in
            if count > 0 { state.text += String(decoding: bytes.prefix(count), as: UTF8.self) }
            if count == 0 { state.closed = true }
        }
    }

    func close() { _ = Foundation.close(descriptor) }

    static func ask(_ port: Int, _ line: String, token: String) async throws -> String {
        let wire = try Wire(port)
        defer { wire.close() }
        try wire.send(line, token: token, headers: ["Connection: close"])
        _ = try await wire.ends()
        return wire.text
    }
}
