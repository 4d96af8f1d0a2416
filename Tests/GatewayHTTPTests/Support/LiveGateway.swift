// A real gateway for tests: its own redis-server, an organisation with departments, budgets and keys, and a node that runs.

import GatewayNode
import HTTPSupport
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Ledger
import Logging
import NIOCore
import QuotaCore
import RedisClient
import ServiceLifecycle
import TestSupport
import Testing

@testable import GatewayHTTP

/// The organisation `default`: engineering (10,000 tokens an hour, budget `hourly`) with search below it, and sales. The
/// root has a budget of a million requests an hour, `all`.
struct LiveGateway: Sendable {
    static let bootstrap = "bootstrap-secret"

    let client: any TestClientProtocol
    let node: GatewayNode
    let ledger: Ledger
    let server: RedisServer

    /// Runs `body` against a gateway; everything ends with it.
    static func run(
        relay: any CommitRelay = NoRelay(), settings: GatewaySettings = GatewaySettings(),
        _ body: @escaping @Sendable (LiveGateway) async throws -> Void
    ) async throws {
        try await withRedis { server in
            var redis = try RedisConfiguration(url: server.url)
            redis.commandTimeout = .seconds(10)
            let client = RedisClient(configuration: redis, logger: silentLogger)
            let node = GatewayNode(
                configuration: GatewayNodeConfiguration(nodeID: "g1"), redis: client, relay: relay, logger: silentLogger
            )
            // In this order, so that the node says goodbye while Redis is still reached.
            let services = ServiceGroup(configuration: .init(services: [client, node], logger: silentLogger))
            var settings = settings
            settings.bootstrapToken = bootstrap
            let application = try Listener.application(
                ListenerConfiguration(address: .host("127.0.0.1", port: 0)),
                routes: Gateway(node: node, settings: settings).routes(), logger: silentLogger)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await services.run() }
                let ledger = Ledger(redis: client)
                try await ledger.makeOrganisation()
                try await application.test(.router) { http in
                    try await body(LiveGateway(client: http, node: node, ledger: ledger, server: server))
                }
                await services.triggerGracefulShutdown()
                try await group.waitForAll()
            }
        }
    }

    /// Makes a key and gives its text.
    func key(_ role: KeyRole, of account: String, principal: String? = nil, defaultAccount: String? = nil) async throws
        -> String
    {
        try await makeKey(role, of: account, principal: principal, defaultAccount: defaultAccount).text
    }

    func makeKey(
        _ role: KeyRole, of account: String, principal: String? = nil, defaultAccount: String? = nil
    ) async throws -> (id: String, text: String) {
        let (key, text) = APIKey.generate(organisation: "default")
        let record = KeyRecord(
            id: key.id, account: account, name: "test", role: role, principal: principal,
            defaultAccount: defaultAccount, createdMilliseconds: 0, sha256: key.sha256Hex)
        _ = try await ledger.putKey(
            key.id, account: account, record: try RecordCoding.json(record), change: Change(actor: "test"),
            organisation: "default")
        return (key.id, text)
    }

    func send(
        _ method: HTTPRequest.Method, _ path: String, key: String? = bootstrap, _ body: String? = nil,
        headers more: HTTPFields = [:]
    ) async throws -> TestResponse {
        var headers = more
        headers[.authorization] = key.map { "Bearer \($0)" }
        return try await client.executeRequest(
            uri: path, method: method, headers: headers, body: body.map { ByteBuffer(string: $0) })
    }

    /// Reserves tokens and gives the id.
    func reserve(_ tokens: Int, as account: String = "search", key: String? = bootstrap) async throws -> String {
        let answer = try await send(
            .post, "/v1/reservations", key: key, #"{"account":"\#(account)","estimate":{"tokens":\#(tokens)}}"#)
        #expect(answer.status == .created)
        return try answer.text("id")
    }
}

extension TestResponse {
    /// A member of the answer as text: strings as they are, everything else as JSON.
    func text(_ path: String...) throws -> String {
        try #require(JSONPeek.text(body, path), "no \(path) in \(String(buffer: body))")
    }
}

extension Ledger {
    fileprivate func makeOrganisation() async throws {
        let secrets = try OrganisationSecrets([.generate()]).json()
        _ = try await createOrganisation(
            OrganisationSettings(name: "Test", unpriced: "allow"), timeToLive: 3000, secrets: secrets,
            rootRecord: "{}", change: Change(actor: "test"), organisation: "default")
        for (account, parent) in [("engineering", "default"), ("search", "engineering"), ("sales", "default")] {
            _ = try await putAccount(
                account, parent: parent, record: #"{"parent":"\#(parent)"}"#, change: Change(actor: "test"),
                organisation: "default")
        }
        try await putHourly("engineering", "hourly", unit: "tokens", amount: 10_000)
        try await putHourly("default", "all", unit: "requests", amount: 1_000_000)
    }

    private func putHourly(_ account: String, _ name: String, unit: String, amount: Int) async throws {
        let record =
            #"{"unit":"\#(unit)","amount":"\#(amount)","policy":[{"at":0.8,"do":"warn"},{"at":1.0,"do":"block"}]}"#
        _ = try await putBudget(
            account: account, name: name,
            fields: [
                ("record", record), ("generation", RandomIdentifier.make(length: 12)), ("unit", unit),
                ("amount", "\(amount)"), ("mode", "enforce"), ("steps", "8000:warn,10000:block"), ("every", "hour"),
                ("periods", ""), ("abandoned", "charge"), ("outage", "spend_leases:30"),
            ], change: Change(actor: "test"), organisation: "default")
    }
}
