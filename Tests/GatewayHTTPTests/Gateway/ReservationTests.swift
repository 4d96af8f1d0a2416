// Reservations over a real node and a real Redis: the contract's statuses and shapes.

import Foundation
import HTTPSupport
import HTTPTypes
import HummingbirdTesting
import Ledger
import NIOCore
import TestSupport
import Testing

@testable import GatewayHTTP

@Suite("Reservations")
struct ReservationTests {
    private static let small = #"{"account":"search","estimate":{"input_tokens":60,"output_tokens":40}}"#

    @Test("A reservation is 201 with its budgets, a commit charges what was used, a repeat answers the same")
    func reserveAndCommit() async throws {
        try await LiveGateway.run { gateway in
            let made = try await gateway.send(.post, "/v1/reservations", Self.small)
            #expect(made.status == .created)
            let id = try made.text("id")
            #expect(id.hasPrefix("rsv_"))
            #expect(try made.text("decision") == "allow")
            #expect(try made.text("decision_id").hasPrefix("dec_"))
            #expect(try made.text("account") == "search")
            #expect(RFC3339.parse(try made.text("expires_at")) != nil)
            #expect(try made.text("budgets", "0", "account") == "engineering")
            #expect(try made.text("budgets", "0", "budget") == "hourly")
            #expect(try made.text("budgets", "0", "unit") == "tokens")
            #expect(try made.text("budgets", "0", "allowance") == "10000")
            #expect(try made.text("budgets", "1", "account") == "default")

            let first = try await gateway.send(.post, "/v1/reservations/\(id)/commit", #"{"tokens":70}"#)
            #expect(first.status == .ok)
            #expect(try first.text("state") == "committed")
            #expect(try first.text("charged", "tokens") == "70")
            #expect(try first.text("charged", "requests") == "1")
            let second = try await gateway.send(.post, "/v1/reservations/\(id)/commit", #"{"tokens":90}"#)
            #expect(second.status == .ok)
            #expect(try second.text("charged", "tokens") == "70")
            let status = try await gateway.send(.get, "/v1/reservations/\(id)")
            #expect(try status.text("state") == "committed")
            let released = try await gateway.send(.delete, "/v1/reservations/\(id)")
            #expect(released.status == .conflict)
        }
    }

    @Test("A release is 204 and may be repeated; a commit after it is 409")
    func release() async throws {
        try await LiveGateway.run { gateway in
            let id = try await gateway.reserve(100)
            for _ in 0..<2 {
                let answer = try await gateway.send(.delete, "/v1/reservations/\(id)")
                #expect(answer.status == .noContent)
                #expect(answer.body.readableBytes == 0)
            }
            let late = try await gateway.send(.post, "/v1/reservations/\(id)/commit", #"{"tokens":5}"#)
            #expect(late.status == .conflict)
        }
    }

    @Test("What does not fit is 429 with the refusing budget, Retry-After and RateLimit fields")
    func exhausted() async throws {
        try await LiveGateway.run { gateway in
            let answer = try await gateway.send(
                .post, "/v1/reservations", #"{"account":"search","estimate":{"input_tokens":20000,"output_tokens":1}}"#)
            #expect(answer.status == .tooManyRequests)
            #expect(answer.headers[.contentType] == "application/problem+json")
            let problem = try answer.problem()
            #expect(problem.code == "budget_exhausted" && problem.status == 429)
            #expect(
                try answer.text("type") == "https://iana.org/assignments/http-problem-types#quota-exceeded")
            #expect(try answer.text("title") == "Quota exceeded")
            #expect(try answer.text("refused_by", "0", "account") == "engineering")
            #expect(try answer.text("refused_by", "0", "allowance") == "10000")
            #expect(try answer.text("violated-policies") == #"["engineering/hourly"]"#)
            #expect(try answer.text("requested", "tokens") == "20001")
            let retry = try #require(answer.headers[.retryAfter].flatMap { Int($0) })
            #expect((1...3600).contains(retry))
            #expect((answer.headers[.shouldRetry] == "false") == (retry > 60))
            #expect(answer.headers[.rateLimitPolicy] == #""engineering/hourly";q=10000;qu="tokens""#)
            #expect(answer.headers[.rateLimit]?.hasPrefix(#""engineering/hourly";r=10000;t="#) == true)

            let receipt = try await gateway.send(.get, "/v1/decisions/\(try answer.text("decision_id"))")
            #expect(receipt.status == .ok)
            #expect(try receipt.text("account") == "search")
            #expect(try receipt.text("requested", "tokens") == "20001")
        }
    }

    @Test("A dry run decides and holds nothing")
    func dryRun() async throws {
        try await LiveGateway.run { gateway in
            for _ in 0..<3 {
                let answer = try await gateway.send(
                    .post, "/v1/reservations?dry_run=true", #"{"account":"search","estimate":{"tokens":9000}}"#)
                #expect(answer.status == .ok)
                #expect(try answer.text("id") == "null")
            }
        }
    }

    @Test("A blocked account is 403, and 200 again after the block")
    func blocked() async throws {
        try await LiveGateway.run { gateway in
            _ = try await gateway.ledger.putBlock(
                account: "engineering", block: #"{"reason":"audit"}"#, change: .init(actor: "test"),
                organisation: "default")
            let answer = try await gateway.send(.post, "/v1/reservations", Self.small)
            #expect(answer.status == .forbidden)
            #expect(try answer.problem().code == "account_blocked")
            #expect(String(buffer: answer.body).contains("audit"))
            // A key below the block learns that it is blocked, not where or why.
            let member = try await gateway.key(.member, of: "search")
            let seen = try await gateway.send(.post, "/v1/reservations", key: member, Self.small)
            #expect(seen.status == .forbidden)
            #expect(!String(buffer: seen.body).contains("audit"))
            #expect(!String(buffer: seen.body).contains("engineering"))
        }
    }

    @Test("An extension holds the new total")
    func extend() async throws {
        try await LiveGateway.run { gateway in
            let id = try await gateway.reserve(100)
            let more = try await gateway.send(
                .post, "/v1/reservations/\(id)/extend", #"{"estimate":{"tokens":500},"ttl_s":60}"#)
            #expect(more.status == .ok)
            let tooMuch = try await gateway.send(
                .post, "/v1/reservations/\(id)/extend", #"{"estimate":{"tokens":50000}}"#)
            #expect(tooMuch.status == .tooManyRequests)
        }
    }

    @Test("A batch gives each item its own outcome")
    func batch() async throws {
        try await LiveGateway.run { gateway in
            let answer = try await gateway.send(
                .post, "/v1/reservations:batch",
                #"{"items":[\#(Self.small),{"account":"search","estimate":{"tokens":20000}},{"account":"nobody","estimate":{"tokens":1}}]}"#
            )
            #expect(answer.status == .ok)
            #expect(try answer.text("items", "0", "status") == "201")
            #expect(try answer.text("items", "0", "body", "id").hasPrefix("rsv_"))
            #expect(try answer.text("items", "1", "status") == "429")
            #expect(try answer.text("items", "1", "body", "code") == "budget_exhausted")
            #expect(try answer.text("items", "2", "status") == "404")
        }
    }

    @Test("A retry under one Idempotency-Key reserves once")
    func idempotent() async throws {
        try await LiveGateway.run { gateway in
            let headers: HTTPFields = [.idempotencyKey: "a"]
            let first = try await gateway.send(.post, "/v1/reservations", Self.small, headers: headers)
            let second = try await gateway.send(.post, "/v1/reservations", Self.small, headers: headers)
            #expect(second.status == .created)
            #expect(second.headers[.idempotentReplayed] == "true")
            #expect(try first.text("id") == second.text("id"))
        }
    }

    @Test("Ids that are forged, foreign, malformed or too long are 404")
    func ids() async throws {
        try await LiveGateway.run { gateway in
            let id = try await gateway.reserve(10)
            let forged = String(id.dropLast(3)) + "AAA"
            for bad in [forged, "rsv_", "rsv_x", "x", "rsv_" + String(repeating: "A", count: 5000), "dec_%20", "%F0"] {
                for (method, path, body) in [
                    (.get, "/v1/reservations/\(bad)", nil), (.delete, "/v1/reservations/\(bad)", nil),
                    (.post, "/v1/reservations/\(bad)/commit", #"{"tokens":1}"#),
                    (.post, "/v1/reservations/\(bad)/extend", #"{"estimate":{"tokens":1}}"#),
                    (.get, "/v1/decisions/\(bad)", nil), (.get, "/v1/accounts/\(bad)", nil),
                    (.delete, "/v1/leases/\(bad)", nil),
                ] as [(HTTPRequest.Method, String, String?)] {
                    let answer = try await gateway.send(method, path, body)
                    #expect(answer.status == .notFound, "\(method) \(path.prefix(60))")
                }
            }
        }
    }

    @Test("Usage without a reservation is booked")
    func usage() async throws {
        try await LiveGateway.run { gateway in
            let answer = try await gateway.send(
                .post, "/v1/usage", #"{"account":"search","usage":{"input_tokens":10,"output_tokens":5}}"#)
            #expect([.ok, .accepted].contains(answer.status))
            #expect(try answer.text("charged", "tokens") == "15")
            let unknown = try await gateway.send(.post, "/v1/usage", #"{"account":"nobody","tokens":1}"#)
            #expect(unknown.status == .notFound)
        }
    }

    @Test("A lease is granted, reported against and ended")
    func lease() async throws {
        try await LiveGateway.run { gateway in
            let made = try await gateway.send(
                .post, "/v1/leases", #"{"account":"search","units":{"tokens":1000},"ttl_s":30}"#)
            #expect(made.status == .created)
            let id = try made.text("id")
            #expect(try made.text("granted", "tokens") == "1000")
            let report = try await gateway.send(
                .post, "/v1/leases/\(id)/report", #"{"used":{"tokens":400},"want":{"tokens":1500}}"#)
            #expect(report.status == .ok)
            #expect(try report.text("used", "tokens") == "400")
            #expect(try report.text("granted", "tokens") == "1500")
            let ended = try await gateway.send(.delete, "/v1/leases/\(id)")
            #expect(ended.status == .noContent)
        }
    }

    @Test("What this node knows of an account is shown")
    func account() async throws {
        try await LiveGateway.run { gateway in
            _ = try await gateway.reserve(100)
            let answer = try await gateway.send(.get, "/v1/accounts/search")
            #expect(answer.status == .ok)
            #expect(try answer.text("path") == #"["search","engineering","default"]"#)
            #expect(try answer.text("state") == "active")
            #expect(try answer.text("budgets", "0", "slice", "reserved") == "100")
            let unknown = try await gateway.send(.get, "/v1/accounts/nobody")
            #expect(unknown.status == .notFound)
        }
    }

    @Test("While Redis is away from the start, the answer is 503 and never 429")
    func outage() async throws {
        try await LiveGateway.run { gateway in
            await gateway.server.kill()
            let answer = try await gateway.send(.post, "/v1/reservations", Self.small)
            #expect(answer.status == .serviceUnavailable)
            #expect(try answer.problem().code == "ledger_unavailable")
            let health = try await gateway.send(.get, "/healthz", key: nil)
            #expect(health.status == .ok)
        }
    }
}
