// When an organisation's writes count, over the wire.

import HTTPTypes
import Ledger
import RedisClient
import Testing

@testable import Console

@Suite("Organisations")
struct OrganisationTests {
    private static let path = "/api/v1/organisations/default"
    private static let block = "/api/v1/accounts/engineering/block"

    @Test(
        "A durability that Redis can't give is 422 and says what is missing",
        arguments: [
            ("replica", "0 of 1 replicas"), ("replica:3", "0 of 3 replicas"), ("disk", "appendonly is no"),
            ("strong", "must be one of"), ("replica:0", "must be one of"),
        ])
    func refused(word: String, reason: String) async throws {
        try await LiveConsole.run { console in
            let body = #"{"durability":"\#(word)"}"#
            let new = "/api/v1/organisations/acme"
            for reply in [try await console.send(.patch, Self.path, body), try await console.put(new, body)] {
                #expect(reply.status == .unprocessableContent)
                let error = try #require(reply["errors"].list.first)
                #expect(error["pointer"].text == "/durability")
                #expect(error["detail"].text?.contains(reason) == true, "\(reply)")
            }
            #expect(try await console.get(Self.path)["durability"].text == "relaxed")
            #expect(try await console.get(new).status == .notFound)
        }
    }

    @Test("A block or revocation that has not reached the disk is 503 and says so; repeated it counts")
    func lateBlock() async throws {
        try await LiveConsole.run(redis: ["--appendonly", "yes", "--appendfsync", "always"]) { console in
            try await console.tree()
            let key = try await console.send(
                .post, "/api/v1/accounts/engineering/keys", #"{"name":"ci","role":"proxy"}"#)
            let keyPath = "/api/v1/accounts/engineering/keys/\(key["id"].text ?? "")"
            #expect(try await console.send(.patch, Self.path, #"{"durability":"disk"}"#).status == .ok)
            try await console.put(Self.block, #"{"reason":"overdue"}"#, .created)
            try await set("everysec", console)
            for reply in [
                try await console.put(Self.block, #"{"reason":"still overdue"}"#),
                try await console.send(.delete, keyPath),
            ] {
                #expect(reply.status == .serviceUnavailable)
                #expect(reply.code == "ledger_unavailable")
                let detail = reply["detail"].text ?? ""
                #expect(detail.hasPrefix("The change is made, but does not count yet: "), "\(detail)")
                #expect(detail.contains("appendfsync is everysec"))
            }
            // What asks for less is not touched by it.
            #expect(try await console.send(.patch, "/api/v1/accounts/sales", #"{"name":"Sales"}"#).status == .ok)
            try await set("always", console)
            try await console.put(Self.block, #"{"reason":"still overdue"}"#, .ok)
            #expect(try await console.send(.delete, keyPath).status == .noContent)
        }
    }

    private func set(_ policy: String, _ console: LiveConsole) async throws {
        _ = try await console.ledger.redis.send(["CONFIG", "SET", "appendfsync", policy])
    }
}
