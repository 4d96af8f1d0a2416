// Who may spend as whom, and who sees what: the contract's roles over a real node.

import GatewayNode
import HTTPSupport
import HTTPTypes
import HummingbirdTesting
import Ledger
import NIOCore
import Testing

@testable import GatewayHTTP

@Suite("Roles")
struct RoleTests {
    private static func body(_ account: String?, principal: String? = nil) -> String {
        var members = [#""estimate":{"tokens":10}"#]
        if let account { members.append(#""account":"\#(account)""#) }
        if let principal { members.append(#""principal":"\#(principal)""#) }
        return "{" + members.joined(separator: ",") + "}"
    }

    @Test("No key, garbage and a revoked key are 401; a commit takes the revoked one")
    func credentials() async throws {
        try await LiveGateway.run { gateway in
            let (id, text) = try await gateway.makeKey(.proxy, of: "engineering")
            let reservation = try await gateway.reserve(10, key: text)
            _ = try await gateway.ledger.revokeKey(
                id,
                record: RecordCoding.json(
                    KeyRecord(
                        id: id, account: "engineering", name: "test", role: .proxy, createdMilliseconds: 0,
                        revokedMilliseconds: 1, sha256: APIKey(parsing: text)?.sha256Hex ?? "")),
                change: Change(actor: "test"), organisation: "default")
            // The news of the revocation arrives within moments.
            var status = HTTPResponse.Status.created
            for _ in 0..<500 where status == .created {
                status = try await gateway.send(.post, "/v1/reservations", key: text, Self.body("search")).status
                try await Task.sleep(for: .milliseconds(10))
            }
            #expect(status == .unauthorized)
            let commit = try await gateway.send(
                .post, "/v1/reservations/\(reservation)/commit", key: text, #"{"tokens":3}"#)
            #expect(commit.status == .ok)
            for bad in [nil, "", "nonsense", "bsr_default_x_y", text + "x", String(text.dropLast()) + "!"] {
                let answer = try await gateway.send(.post, "/v1/reservations", key: bad, Self.body("search"))
                #expect(answer.status == .unauthorized)
                #expect(answer.headers[.wwwAuthenticate] != nil)
            }
        }
    }

    @Test("A proxy spends as its account and those below, or as its default account")
    func proxy() async throws {
        try await LiveGateway.run { gateway in
            let key = try await gateway.key(.proxy, of: "engineering")
            let withDefault = try await gateway.key(.proxy, of: "engineering", defaultAccount: "search")
            for (key, account, status) in [
                (key, "search", HTTPResponse.Status.created), (key, "engineering", .created), (key, "sales", .notFound),
                (key, "default", .notFound), (key, "nobody", .notFound), (key, nil, .unprocessableContent),
                (withDefault, nil, .created),
            ] {
                let answer = try await gateway.send(.post, "/v1/reservations", key: key, Self.body(account))
                #expect(answer.status == status, "\(account ?? "-")")
            }
            let other = try await gateway.send(
                .post, "/v1/reservations", key: key, Self.body("search", principal: "bob@example.com"))
            #expect(other.status == .created)
        }
    }

    @Test("A member spends as its own account and under its own principal only")
    func member() async throws {
        try await LiveGateway.run { gateway in
            let key = try await gateway.key(.member, of: "search", principal: "alice@example.com")
            for (account, principal, status) in [
                (nil, nil, HTTPResponse.Status.created), ("search", nil, .created), ("engineering", nil, .notFound),
                ("sales", nil, .notFound), (nil, "alice@example.com", .created), (nil, "bob@example.com", .forbidden),
            ] as [(String?, String?, HTTPResponse.Status)] {
                let answer = try await gateway.send(
                    .post, "/v1/reservations", key: key, Self.body(account, principal: principal))
                #expect(answer.status == status, "\(account ?? "-") \(principal ?? "-")")
            }
        }
    }

    @Test("Viewers and heads do not spend, but look", arguments: [KeyRole.viewer, .head])
    func onlookers(role: KeyRole) async throws {
        try await LiveGateway.run { gateway in
            let key = try await gateway.key(role, of: "engineering")
            for (path, body) in [
                ("/v1/reservations", Self.body("search")), ("/v1/usage", #"{"account":"search","tokens":1}"#),
                ("/v1/leases", #"{"account":"search","units":{"tokens":1}}"#),
            ] {
                let answer = try await gateway.send(.post, path, key: key, body)
                #expect(answer.status == .forbidden, "\(path)")
            }
            for (account, status) in [
                ("engineering", HTTPResponse.Status.ok), ("search", .ok), ("sales", .notFound), ("default", .notFound),
            ] {
                let answer = try await gateway.send(.get, "/v1/accounts/\(account)", key: key)
                #expect(answer.status == status, "\(account)")
            }
            let id = try await gateway.reserve(10)
            let seen = try await gateway.send(.get, "/v1/reservations/\(id)", key: key)
            #expect(seen.status == .ok)
            let foreign = try await gateway.reserve(10, as: "sales")
            let hidden = try await gateway.send(.get, "/v1/reservations/\(foreign)", key: key)
            #expect(hidden.status == .notFound)
        }
    }

    @Test("Names and figures above the key's account appear nowhere")
    func hidden() async throws {
        try await LiveGateway.run { gateway in
            let member = try await gateway.key(.member, of: "search")
            let made = try await gateway.send(.post, "/v1/reservations", key: member, Self.body(nil))
            let refused = try await gateway.send(
                .post, "/v1/reservations", key: member, #"{"estimate":{"input_tokens":9999,"output_tokens":9999}}"#)
            #expect(made.status == .created && refused.status == .tooManyRequests)
            let receipt = try await gateway.send(
                .get, "/v1/decisions/\(try refused.text("decision_id"))", key: member)
            let account = try await gateway.send(.get, "/v1/accounts/search", key: member)
            #expect(receipt.status == .ok && account.status == .ok)
            for answer in [made, refused, receipt, account] {
                let whole = String(buffer: answer.body) + answer.headers.map(\.description).joined()
                for secret in ["engineering", "hourly", "10000", #""default""#] {
                    #expect(!whole.contains(secret), "\(secret) in \(whole)")
                }
            }
            #expect(try refused.text("refused_by", "0", "allowance") == "null")
            #expect(refused.headers[.rateLimit] == nil)
            #expect(refused.headers[.retryAfter] != nil)
        }
    }

    @Test("The bootstrap token is admin of the organisation that its header names")
    func bootstrap() async throws {
        try await LiveGateway.run { gateway in
            for (organisation, status) in [
                ("default", HTTPResponse.Status.created), ("nothere", .notFound), ("No Such", .notFound),
            ] {
                let answer = try await gateway.send(
                    .post, "/v1/reservations", Self.body("search"), headers: [.organisation: organisation])
                #expect(answer.status == status, "\(organisation)")
            }
            let wrong = try await gateway.send(
                .post, "/v1/reservations", key: LiveGateway.bootstrap + "x", Self.body("search"))
            #expect(wrong.status == .unauthorized)
        }
    }

    @Test("Metrics need a key of the root that may read")
    func metrics() async throws {
        var settings = GatewaySettings()
        settings.metrics = { "bursar_up 1\n" }
        try await LiveGateway.run(settings: settings) { gateway in
            for (role, account, status) in [
                (KeyRole.viewer, "default", HTTPResponse.Status.ok), (.viewer, "engineering", .forbidden),
                (.proxy, "default", .forbidden),
            ] {
                let key = try await gateway.key(role, of: account)
                let answer = try await gateway.send(.get, "/metrics", key: key)
                #expect(answer.status == status)
                if status == .ok { #expect(String(buffer: answer.body) == "bursar_up 1\n") }
            }
        }
    }

    @Test("A relay needs the organisation's credential")
    func relay() async throws {
        try await LiveGateway.run { gateway in
            _ = try await gateway.reserve(1)
            let message = #"{"organisation":"default","reservation":"rsv_x"}"#
            for (key, body, status) in [
                (nil, message, HTTPResponse.Status.unauthorized), ("wrong", message, .unauthorized),
                ("wrong", "{}", .badRequest),
            ] as [(String?, String, HTTPResponse.Status)] {
                let answer = try await gateway.send(.post, "/internal/relay", key: key, body)
                #expect(answer.status == status)
            }
        }
    }
}
