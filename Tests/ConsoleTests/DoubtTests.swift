// Doubt over the wire: who sees it, who decides, and what the budget shows afterwards.

import HTTPTypes
import Ledger
import Testing

@testable import Console

@Suite("Doubt")
struct DoubtTests {
    private static let budget = "/api/v1/accounts/engineering/budgets/monthly"

    @Test("An admin sees what is in doubt and decides about it, a part at a time, with a reason in the audit")
    func resolve() async throws {
        try await LiveConsole.run { console in
            try await console.tree()
            let id = try await console.leaveInDoubt(100, of: "engineering", "monthly")
            let row = try #require(try await console.get("/api/v1/doubt").items.first)
            #expect(row["id"].text == id.description && row["node"].text == "g9" && row["session"].text == id.session)
            #expect(row["account"].text == "engineering" && row["budget"].text == "monthly")
            #expect(row["in_doubt"].int == 100 && row["resolvable"].int == 100 && row["seen_at"].text != nil)
            let path = "/api/v1/doubt/\(id)/resolve"
            let charged = try await console.send(
                .post, path, #"{"resolution":"charge","amount":30,"reason":"seen at the provider"}"#)
            #expect(charged.status == .ok, "\(charged)")
            #expect(charged["resolved"].int == 30 && charged["in_doubt"].int == 70)
            let released = try await console.send(.post, path, #"{"resolution":"release","reason":"never sent"}"#)
            #expect(released["resolved"].int == 70 && released["in_doubt"].int == 0, "\(released)")
            let live = try await console.get(Self.budget)["live"]
            #expect(live["spent"].int == 30 && live["in_doubt"].int == 0 && live["available"].int == 970)
            let audit = try await console.get("/api/v1/audit?kind=doubt.resolved")
            #expect(audit.items.map { $0["reason"].text } == ["never sent", "seen at the provider"])
            #expect(audit.items.last?["before.in_doubt"].int == 100)
            #expect(audit.items.last?["after.charge"].int == 30)
            #expect(try await console.get("/api/v1/doubt").items.isEmpty)
        }
    }

    @Test("What cannot be resolved is refused, naming what is wrong")
    func refused() async throws {
        try await LiveConsole.run { console in
            try await console.tree()
            let id = try await console.leaveInDoubt(100, of: "engineering", "monthly")
            let path = "/api/v1/doubt/\(id)/resolve"
            for (path, body, status) in [
                (path, #"{"resolution":"charge","amount":101,"reason":"r"}"#, .conflict),
                (path, #"{"resolution":"charge","amount":0,"reason":"r"}"#, .unprocessableContent),
                (path, #"{"resolution":"charge","amount":"1.5","reason":"r"}"#, .unprocessableContent),
                (path, #"{"resolution":"forget","reason":"r"}"#, .unprocessableContent),
                (path, #"{"resolution":"charge"}"#, .unprocessableContent),
                ("/api/v1/doubt/nothing/resolve", #"{"resolution":"charge","reason":"r"}"#, .notFound),
                ("/api/v1/doubt/g.0.s/resolve", #"{"resolution":"charge","reason":"r"}"#, .notFound),
            ] as [(String, String, HTTPResponse.Status)] {
                let reply = try await console.send(.post, path, body)
                #expect(reply.status == status, "\(body): \(reply)")
            }
            #expect(try await console.get(Self.budget)["live.in_doubt"].int == 100)
        }
    }

    @Test("Without a resolution the budget's rule for abandoned reservations decides")
    func abandoned() async throws {
        try await LiveConsole.run { console in
            try await console.tree()
            try await console.put(Self.budget, LiveConsole.tokens(1000, more: #","abandoned":"release""#), .ok)
            let id = try await console.leaveInDoubt(100, of: "engineering", "monthly")
            let reply = try await console.send(.post, "/api/v1/doubt/\(id)/resolve", #"{"reason":"old"}"#)
            #expect(reply["resolution"].text == "abandoned", "\(reply)")
            let live = try await console.get(Self.budget)["live"]
            #expect(live["available"].int == 1000 && live["in_doubt"].int == 0)
        }
    }

    @Test("A department sees the doubt of its own budgets only")
    func isolation() async throws {
        try await LiveConsole.run { console in
            try await console.tree()
            try await console.put("/api/v1/accounts/sales/budgets/monthly", LiveConsole.tokens(1000), .created)
            _ = try await console.leaveInDoubt(5, of: "engineering", "monthly")
            _ = try await console.leaveInDoubt(7, of: "sales", "monthly")
            let key = try await console.key(.head, of: "sales")
            let seen = try await console.get("/api/v1/doubt", key: key).items
            #expect(seen.map { $0["in_doubt"].int } == [7])
            let other = try await console.get("/api/v1/doubt?account=engineering", key: key)
            #expect(other.status == .notFound)
            #expect(try await console.get("/api/v1/doubt?account=sales").items.count == 1)
            #expect(try await console.get("/api/v1/doubt").items.count == 2)
        }
    }
}
