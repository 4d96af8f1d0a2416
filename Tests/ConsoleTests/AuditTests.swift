// The audit over the wire.

import HTTPTypes
import Ledger
import Testing

@testable import Console

@Suite("Audit")
struct AuditTests {
    @Test("Every change has one entry with actor, before, after and reason, the newest first")
    func entries() async throws {
        try await LiveConsole.run { console in
            try await console.tree()
            try await console.put("/api/v1/accounts/engineering/block", #"{"reason":"runaway"}"#, .created)
            let list = try await console.get("/api/v1/audit")
            #expect(
                list.items.compactMap { $0["kind"].text } == [
                    "block.put", "budget.put", "account.put", "account.put", "account.put", "organisation.created",
                ])
            let block = try #require(list.items.first)
            #expect(block["actor"].text == "bootstrap" && block["reason"].text == "runaway")
            #expect(block["before"] == .null && block["after.reason"].text == "runaway")
            #expect(block["account"].text == "engineering")
            let versions = list.items.compactMap { $0["version"].int }
            #expect(versions == versions.sorted(by: >))
        }
    }

    @Test("Filters and pages")
    func filters() async throws {
        try await LiveConsole.run { console in
            try await console.tree()
            let key = try await console.key(.admin, of: "default")
            try await console.put("/api/v1/accounts/x", "{}", .created, key: key)
            #expect(try await console.get("/api/v1/audit?kind=budget.put").items.count == 1)
            #expect(try await console.get("/api/v1/audit?account=engineering").items.count == 2)
            let id = try await console.get("/api/v1/accounts/default/keys").items.first?["id"].text ?? ""
            #expect(try await console.get("/api/v1/audit?actor=key:\(id)").items.map { $0["target"].text } == ["x"])
            #expect(try await console.get("/api/v1/audit?account=nobody").items.isEmpty)
            var (kinds, cursor): ([String], String?) = ([], nil)
            repeat {
                let page = try await console.get("/api/v1/audit?limit=2" + (cursor.map { "&cursor=\($0)" } ?? ""))
                kinds += page.items.compactMap { $0["kind"].text }
                cursor = page["next_cursor"].text
            } while cursor != nil
            let all = try await console.get("/api/v1/audit")
            #expect(kinds == all.items.compactMap { $0["kind"].text })
        }
    }
}
