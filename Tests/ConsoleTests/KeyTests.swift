// Keys over the wire: shown once, replaced, revoked.

import HTTPTypes
import Ledger
import Testing

@testable import Console

@Suite("Keys")
struct KeyTests {
    static let path = "/api/v1/accounts/engineering/keys"

    @Test("A key is shown in the answer that makes it and nowhere else, and neither is its hash")
    func shownOnce() async throws {
        try await LiveConsole.run { console in
            try await console.tree()
            let made = try await console.send(.post, Self.path, #"{"name":"ci","role":"proxy"}"#)
            #expect(made.status == .created)
            let text = try #require(made["key"].text)
            let key = try #require(APIKey(parsing: text))
            #expect(key.organisation == "default" && key.id == made["id"].text)
            let places = [Self.path, Self.path + "/\(key.id)", "/api/v1/audit?kind=key.put"]
            for place in places {
                let reply = try await console.get(place)
                #expect(reply.status == .ok && reply.text.contains(key.id))
                #expect(!reply.text.contains(text) && !reply.text.contains(key.sha256Hex))
            }
        }
    }

    @Test("A revoked key is refused at once, and revoking it again is no error")
    func revoked() async throws {
        try await LiveConsole.run { console in
            try await console.tree()
            let text = try await console.key(.viewer, of: "engineering")
            let id = try #require(APIKey(parsing: text)?.id)
            #expect(try await console.get("/api/v1/accounts/engineering", key: text).status == .ok)
            #expect(try await console.send(.delete, Self.path + "/\(id)").status == .noContent)
            #expect(try await console.get("/api/v1/accounts/engineering", key: text).status == .unauthorized)
            #expect(try await console.send(.delete, Self.path + "/\(id)").status == .noContent)
            #expect(try await console.get(Self.path + "/\(id)")["revoked_at"].text != nil)
            #expect(try await console.send(.post, Self.path + "/\(id)/rotate").status == .conflict)
        }
    }

    @Test("A key that is revoked elsewhere is forgotten when the ledger tells of it")
    func revokedElsewhere() async throws {
        try await LiveConsole.run { console in
            try await console.tree()
            let text = try await console.key(.viewer, of: "engineering")
            let id = try #require(APIKey(parsing: text)?.id)
            #expect(try await console.get("/api/v1/accounts/engineering", key: text).status == .ok)
            try await console.ledger.revokeForTest(id)
            let refused = try await eventually {
                try await console.get("/api/v1/accounts/engineering", key: text).status == .unauthorized
            }
            #expect(refused)
        }
    }

    @Test("Rotation gives a key with the same rights and ends the old one")
    func rotated() async throws {
        try await LiveConsole.run { console in
            try await console.tree()
            let old = try await console.key(.head, of: "engineering")
            let id = try #require(APIKey(parsing: old)?.id)
            let reply = try await console.send(.post, Self.path + "/\(id)/rotate")
            #expect(reply.status == .created && reply["role"].text == "head" && reply["id"].text != id)
            let new = try #require(reply["key"].text)
            #expect(try await console.get("/api/v1/accounts/search", key: new).status == .ok)
            #expect(try await console.get("/api/v1/accounts/search", key: old).status == .unauthorized)
        }
    }

    @Test("An expired key is refused")
    func expired() async throws {
        try await LiveConsole.run { console in
            try await console.tree()
            let past = #"{"name":"x","role":"viewer","expires_at":"2001-01-01T00:00:00Z"}"#
            #expect(
                try await console.send(.post, Self.path, past)["errors"].list.first?["pointer"].text == "/expires_at")
            let (key, text) = APIKey.generate(organisation: "default")
            let record = KeyRecord(
                id: key.id, account: "engineering", name: "old", role: .viewer, createdMilliseconds: 1,
                expiresMilliseconds: 2, sha256: key.sha256Hex)
            _ = try await console.ledger.putKey(
                key.id, account: "engineering", record: try RecordCoding.json(record), change: Change(actor: "test"),
                organisation: "default")
            #expect(try await console.get("/api/v1/accounts/engineering", key: text).status == .unauthorized)
        }
    }

    @Test("Garbage, a key with another secret and a key of another organisation are 401")
    func garbage() async throws {
        try await LiveConsole.run { console in
            try await console.tree()
            let text = try await console.key(.viewer, of: "engineering")
            let id = try #require(APIKey(parsing: text)?.id)
            let forged = APIKey.generate(organisation: "default", id: id).text
            let foreign = APIKey.generate(organisation: "nobody").text
            for bad in [nil, "", "x", String(text.dropLast()), forged, foreign, LiveConsole.token + "x"] {
                let reply = try await console.get("/api/v1/accounts", key: bad)
                #expect(reply.status == .unauthorized && reply.headers[.wwwAuthenticate] != nil)
            }
        }
    }

    @Test("Admin keys are for the root, default accounts are at or below the key's")
    func rules() async throws {
        try await LiveConsole.run { console in
            try await console.tree()
            for (body, pointer) in [
                (#"{"name":"x","role":"admin"}"#, "/role"), (#"{"name":"x","role":"king"}"#, "/role"),
                (#"{"role":"viewer"}"#, "/name"),
                (#"{"name":"x","role":"proxy","default_account":"sales"}"#, "/default_account"),
                (#"{"name":"x","role":"viewer","default_account":"search"}"#, "/default_account"),
            ] {
                let reply = try await console.send(.post, Self.path, body)
                #expect(reply["errors"].list.first?["pointer"].text == pointer, "\(reply)")
            }
            let proxy = #"{"name":"x","role":"proxy","default_account":"search"}"#
            #expect(try await console.send(.post, Self.path, proxy).status == .created)
        }
    }
}
