// Organisations and accounts over the wire.

import HTTPSupport
import HTTPTypes
import Ledger
import Testing

@testable import Console

@Suite("Accounts")
struct AccountTests {
    @Test("A new account is 201 with its version as ETag, the same PUT again is 200 with a higher one")
    func makesAndChanges() async throws {
        try await LiveConsole.run { console in
            let body = #"{"name":"Engineering","parent":"default","kind":"department","labels":{"cc":"1"}}"#
            let made = try await console.put("/api/v1/accounts/engineering", body)
            #expect(made.status == .created)
            #expect(made["name"].text == "Engineering" && made["labels.cc"].text == "1")
            #expect(made["archived"].flag == false)
            let version = try #require(made["version"].int)
            #expect(made.headers[.eTag] == "\"\(version)\"")
            let again = try await console.put("/api/v1/accounts/engineering", body)
            #expect(again.status == .ok)
            #expect(try #require(again["version"].int) > version)
            let read = try await console.get("/api/v1/accounts/engineering")
            #expect(read.json == again.json)
            #expect(try await console.put("/api/v1/accounts/engineering", read.text).status == .ok)
        }
    }

    @Test("If-Match with another version is 412 and changes nothing; If-None-Match: * makes only what is new")
    func conditions() async throws {
        try await LiveConsole.run { console in
            let path = "/api/v1/accounts/a"
            let made = try await console.send(.put, path, "{}", headers: [.ifNoneMatch: "*"])
            #expect(made.status == .created)
            let tag = try #require(made.headers[.eTag])
            let cases: [(HTTPFields, HTTPResponse.Status)] = [
                ([.ifNoneMatch: "*"], .preconditionFailed), ([.ifMatch: "\"1\""], .preconditionFailed),
                ([.ifMatch: tag], .ok), ([.ifMatch: tag], .preconditionFailed),
            ]
            for (headers, status) in cases {
                #expect(try await console.send(.put, path, "{}", headers: headers).status == status)
            }
            #expect(
                try await console.send(.put, "/api/v1/accounts/b", "{}", headers: [.ifMatch: "*"]).status.code == 412)
            #expect(try await console.send(.delete, path, headers: [.ifMatch: tag]).status.code == 412)
            #expect(try await console.get(path)["archived"].flag == false)
        }
    }

    @Test("PATCH changes the named fields only, null removes one")
    func patches() async throws {
        try await LiveConsole.run { console in
            try await console.put("/api/v1/accounts/a", #"{"name":"A","kind":"team","labels":{"x":"1","y":"2"}}"#)
            let patched = try await console.send(
                .patch, "/api/v1/accounts/a", #"{"kind":null,"labels":{"x":null,"z":"3"}}"#)
            #expect(patched.status == .ok)
            #expect(patched["name"].text == "A" && patched["kind"] == .null)
            #expect(patched["labels"] == .object(["y": .string("2"), "z": .string("3")]))
            #expect(try await console.send(.patch, "/api/v1/accounts/b", "{}").status == .notFound)
        }
    }

    @Test(
        "A wrong body is 422 naming the field",
        arguments: [
            (#"{"nmae":"x"}"#, "/nmae"), (#"{"name":7}"#, "/name"), (#"{"parent":"nobody"}"#, "/parent"),
            (#"{"parent":"No"}"#, "/parent"), (#"{"heads":[{"name":"x"}]}"#, "/heads/0/email"),
            (#"{"heads":[{"name":"x","email":"a@b","phone":""}]}"#, "/heads/0/phone"), (#"{"labels":[]}"#, "/labels"),
            (#"{"models":{"allow":"x"}}"#, "/models/allow"), (#"[]"#, ""), (#"{"id":"other"}"#, "/id"),
        ])
    func refusals(_ body: String, _ pointer: String) async throws {
        try await LiveConsole.run { console in
            let reply = try await console.put("/api/v1/accounts/a", body)
            #expect(reply.status == .unprocessableContent)
            #expect(reply["errors"].list.first?["pointer"].text == pointer)
            #expect(reply.headers[.contentType] == "application/problem+json")
            #expect(try await console.get("/api/v1/accounts/a").status == .notFound)
        }
    }

    @Test("What is no JSON is 400, another content type 415, a cycle 409, the root cannot be archived: 409")
    func otherRefusals() async throws {
        try await LiveConsole.run { console in
            try await console.tree()
            #expect(try await console.put("/api/v1/accounts/a", "{").code == "malformed_json")
            let typed = try await console.send(
                .put, "/api/v1/accounts/a", "{}", headers: [.contentType: "text/html"])
            #expect(typed.status == .unsupportedMediaType)
            #expect(try await console.put("/api/v1/accounts/engineering", #"{"parent":"search"}"#).status == .conflict)
            #expect(try await console.send(.delete, "/api/v1/accounts/default").status == .conflict)
            #expect(try await console.send(.delete, "/api/v1/accounts/engineering").status == .conflict)
            #expect(try await console.put("/api/v1/accounts/Bad_Id", "{}").status == .notFound)
        }
    }

    @Test("DELETE archives: it is listed on request only, and PUT brings it back")
    func archives() async throws {
        try await LiveConsole.run { console in
            try await console.tree()
            #expect(try await console.send(.delete, "/api/v1/accounts/search").status == .noContent)
            #expect(try await console.send(.delete, "/api/v1/accounts/search").status == .noContent)
            #expect(try await console.get("/api/v1/accounts/search")["archived"].flag == true)
            func ids(_ query: String) async throws -> [String?] {
                try await console.get("/api/v1/accounts\(query)").items.map { $0["id"].text }
            }
            #expect(try await ids("") == ["default", "engineering", "sales"])
            #expect(try await ids("?archived=true") == ["default", "engineering", "sales", "search"])
            #expect(try await ids("?parent=default") == ["engineering", "sales"])
            try await console.put("/api/v1/accounts/search", #"{"parent":"engineering"}"#, .ok)
            #expect(try await ids("?parent=engineering") == ["search"])
        }
    }

    @Test("A list in pages is the whole list, each account once")
    func pages() async throws {
        try await LiveConsole.run { console in
            for number in 10..<17 { try await console.put("/api/v1/accounts/a\(number)", "{}", .created) }
            var (seen, cursor): ([String], String?) = ([], nil)
            repeat {
                let page = try await console.get("/api/v1/accounts?limit=3" + (cursor.map { "&cursor=\($0)" } ?? ""))
                #expect(page.items.count <= 3)
                seen += page.items.compactMap { $0["id"].text }
                cursor = page["next_cursor"].text
            } while cursor != nil
            #expect(seen == (10..<17).map { "a\($0)" } + ["default"])
            #expect(try await console.get("/api/v1/accounts?cursor=zz").status.code == 422)
            #expect(try await console.get("/api/v1/accounts?limit=0").status.code == 422)
            #expect(try await console.get("/api/v1/accounts?nonsense=1").status.code == 422)
        }
    }

    @Test("Organisations are for the bootstrap credential, which chooses one by a header")
    func organisations() async throws {
        try await LiveConsole.run { console in
            let path = "/api/v1/organisations/acme"
            let made = try await console.put(path, #"{"timezone":"Europe/Berlin"}"#)
            #expect(made.status == .created)
            #expect(made["name"].text == "acme" && made["unpriced"].text == "deny")
            #expect(try await console.put(path, #"{"timezone":"Mars/Base"}"#).status.code == 422)
            #expect(try await console.send(.patch, path, #"{"name":"Acme"}"#)["timezone"].text == "Europe/Berlin")
            #expect(try await console.get("/api/v1/organisations").items.map { $0["id"].text } == ["acme", "default"])
            let admin = try await console.key(.admin, of: "default")
            #expect(try await console.get("/api/v1/organisations", key: admin).status == .forbidden)
            let root = try await console.send(
                .get, "/api/v1/accounts/acme", headers: [.organisation: "acme"])
            #expect(root.status == .ok)
            #expect(try await console.get("/api/v1/accounts/acme").status == .notFound)
            let unknown = try await console.send(.get, "/api/v1/accounts", headers: [.organisation: "nobody"])
            #expect(unknown.status == .notFound)
            // An admin of one organisation stays in it, whatever it claims.
            let claim = try await console.send(
                .get, "/api/v1/accounts/acme", key: admin, headers: [.organisation: "acme"])
            #expect(claim.status == .notFound)
        }
    }
}
