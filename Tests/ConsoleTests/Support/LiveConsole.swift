// A console over a Redis of its own, asked through its routes, with the bootstrap credential unless a test says otherwise.

import HTTPSupport
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Ledger
import Logging
import NIOCore
import RedisClient
import ServiceLifecycle
import TestSupport

@testable import Console
@testable import QuotaCore

/// What a test asks.
struct LiveConsole: Sendable {
    static let token = "the-bootstrap-token"

    let redis: RedisServer
    let ledger: Ledger
    let parts: ConsoleParts
    let client: any TestClientProtocol

    /// Runs `body` with a console that has the organisation `default`.
    static func run(
        redis arguments: [String] = [],
        settings change: @Sendable (inout ConsoleServer.Configuration) -> Void = { _ in },
        _ body: @escaping @Sendable (LiveConsole) async throws -> Void
    ) async throws {
        try await withRedis(arguments) { server in
            var logger = Logger(label: "test")
            logger.logLevel = .critical
            let redis = RedisClient(configuration: try RedisConfiguration(url: server.url), logger: logger)
            var configuration = ConsoleServer.Configuration(listener: .init(address: .host("127.0.0.1", port: 0)))
            configuration.settings.adminToken = token
            change(&configuration)
            let parts = ConsoleParts(configuration, redis: redis, logger: logger)
            let group = ServiceGroup(configuration: .init(services: [redis] + parts.services, logger: logger))
            let running = Task { try await group.run() }
            do {
                let app = try Listener.application(
                    configuration.listener, routes: parts.console.routes(), logger: logger)
                try await app.test(.router) { client in
                    let console = LiveConsole(
                        redis: server, ledger: Ledger(redis: redis), parts: parts, client: client)
                    try await console.put("/api/v1/organisations/default", #"{"name":"Default"}"#, .created)
                    try await body(console)
                }
            } catch {
                await group.triggerGracefulShutdown()
                _ = await running.result
                throw error
            }
            await group.triggerGracefulShutdown()
            try await running.value
        }
    }

    func send(
        _ method: HTTPRequest.Method, _ path: String, _ body: String? = nil, key: String? = token,
        headers extra: HTTPFields = [:]
    ) async throws -> Reply {
        var headers = extra
        if let key { headers[.authorization] = "Bearer \(key)" }
        if body != nil, headers[.contentType] == nil { headers[.contentType] = "application/json" }
        return try await client.execute(
            uri: path, method: method, headers: headers, body: body.map { ByteBuffer(string: $0) }
        ) { Reply($0) }
    }

    func get(_ path: String, key: String? = token) async throws -> Reply { try await send(.get, path, key: key) }

    /// A PUT that must be answered by `status`.
    @discardableResult
    func put(_ path: String, _ body: String, _ status: HTTPResponse.Status? = nil, key: String = token)
        async throws -> Reply
    {
        let reply = try await send(.put, path, body, key: key)
        if let status, reply.status != status { throw Unexpected(what: "PUT \(path): \(reply)") }
        return reply
    }

    /// Makes a key of an account and returns its text.
    func key(_ role: KeyRole, of account: String, maker: String = token) async throws -> String {
        let reply = try await send(
            .post, "/api/v1/accounts/\(account)/keys", #"{"name":"test","role":"\#(role.rawValue)"}"#, key: maker)
        guard reply.status == .created, let text = reply["key"].text else {
            throw Unexpected(what: "no key: \(reply)")
        }
        return text
    }

    /// Waits until Redis answers again.
    func reconnected() async throws {
        let answers = try await eventually { (try? await ledger.redis.send(["PING"])) != nil }
        if !answers { throw Unexpected(what: "Redis does not come back") }
    }

    /// default > engineering > search, default > sales; engineering has a budget by month in tokens.
    func tree() async throws {
        for (id, parent) in [("engineering", "default"), ("sales", "default"), ("search", "engineering")] {
            try await put("/api/v1/accounts/\(id)", #"{"parent":"\#(parent)"}"#, .created)
        }
        try await put("/api/v1/accounts/engineering/budgets/monthly", Self.tokens(1000), .created)
    }

    static func tokens(_ amount: Int64, more: String = "") -> String {
        #"{"unit":"tokens","amount":\#(amount),"period":{"every":"month"}\#(more)}"#
    }

    /// Books tokens in the present period of a budget, as a node does without a reservation.
    func charge(_ account: String, _ budget: String, _ amount: Int64) async throws {
        let path = try await ledger.resolve(account: account, organisation: "default")
        guard let row = path.accounts.first?.budgets.first(where: { $0.name == budget }) else {
            throw Unexpected(what: "no budget \(budget)")
        }
        let period = try Budget(row).period(at: path.now / 1000)
        _ = try await ledger.charge(
            id: RandomIdentifier.make(),
            parts: [
                SettlementPart(
                    key: LeaseKey(generation: row.generation, start: period.start), charge: amount, hold: 0)
            ], organisation: "default")
    }

    /// A session that is over and has had tokens of a budget; returns what names its doubt.
    func leaveInDoubt(_ amount: Int64, of account: String, _ budget: String) async throws -> DoubtID {
        let path = try await ledger.resolve(account: account, organisation: "default")
        guard let row = path.accounts.first?.budgets.first(where: { $0.name == budget }) else {
            throw Unexpected(what: "no budget \(budget)")
        }
        let period = try Budget(row).period(at: path.now / 1000)
        let key = LeaseKey(generation: row.generation, start: period.start)
        let session = "g9~" + RandomIdentifier.make(length: 4)
        let message = ExchangeMessage(
            session: session, number: 1, history: "", seq: 0, rulesVersion: 1, goodbye: false, next: 1, opened: [],
            closed: [], expired: [], parked: [],
            leases: [.init(key: key, granted: 0, used: 0, returned: 0, want: 0, demand: 0, answered: 0)],
            groups: [[Need(key: key, amount: amount, level: 0, token: false)]])
        _ = try await ledger.exchange(message, origin: .init(node: "g9", advertise: ""), organisation: "default")
        _ = try await ledger.redis.send(["HSET", Ledger.prefix("default") + "session:\(session)", "over", "1"])
        return DoubtID(key: key, session: session)
    }
}

extension Ledger {
    /// Revokes a key past the console, as another console would.
    func revokeForTest(_ id: String) async throws {
        var record = try RecordCoding.decode(
            KeyRecord.self, from: try await key(id, organisation: "default").record)
        record.revokedMilliseconds = 1
        _ = try await revokeKey(
            id, record: try RecordCoding.json(record), change: Change(actor: "other"), organisation: "default")
    }
}

struct Unexpected: Error, CustomStringConvertible {
    let what: String
    var description: String { what }
}

/// An answer with its body read.
struct Reply: Sendable, CustomStringConvertible {
    let status: HTTPResponse.Status
    let headers: HTTPFields
    let text: String
    let json: JSONValue?

    init(_ response: TestResponse) {
        status = response.status
        headers = response.headers
        text = String(buffer: response.body)
        json = JSONValue(text)
    }

    var description: String { "\(status.code) \(text)" }

    var code: String? { self["code"].text }

    subscript(_ name: String) -> JSONValue { json?[name] ?? .null }

    var items: [JSONValue] { self["items"].list }
}

extension JSONValue {
    /// A member of an object, by a path of names with dots between.
    subscript(_ path: String) -> JSONValue {
        path.split(separator: ".").reduce(self) { value, name in value.members?[String(name)] ?? .null }
    }

    var text: String? { if case .string(let text) = self { text } else { nil } }

    var list: [JSONValue] { if case .array(let items) = self { items } else { [] } }

    var int: Int64? { if case .number(let number) = self { Int64("\(number)") } else { nil } }

    var flag: Bool? { if case .bool(let flag) = self { flag } else { nil } }
}

/// Waits until something holds; the test that needs it fails when it never does.
func eventually(_ condition: () async throws -> Bool) async throws -> Bool {
    for _ in 0..<1000 {
        if try await condition() { return true }
        try await Task.sleep(for: .milliseconds(10))
    }
    return false
}
