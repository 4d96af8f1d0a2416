// Who may do what to which account: every operation times every role times every kind of account. The table is made from
// the routes, so that a new operation fails here until somebody has said who may use it.

import HTTPSupport
import HTTPTypes
import Ledger
import Testing

@testable import Console

@Suite("Roles")
struct RoleTests {
    /// What an operation needs. `root` operations have no account in their path.
    enum Need: Sendable { case read, decide, govern, rootRead, rootGovern, list, bootstrap, open }

    static let needs: [String: Need] = [
        "listOrganisations": .bootstrap, "putOrganisation": .bootstrap, "patchOrganisation": .bootstrap,
        "getOrganisation": .bootstrap, "listAccounts": .list, "putAccount": .govern, "patchAccount": .govern,
        "getAccount": .read, "archiveAccount": .govern, "listBudgets": .read, "putBudget": .decide,
        "patchBudget": .decide, "getBudget": .read, "deleteBudget": .decide, "listPeriods": .read, "getPeriod": .read,
        "addAdjustment": .decide, "listAdjustments": .read, "deleteAdjustment": .decide, "putBlock": .decide,
        "getBlock": .read, "deleteBlock": .decide, "createKey": .decide, "listKeys": .read, "getKey": .read,
        "rotateKey": .decide, "revokeKey": .decide, "getPrices": .list, "putPrices": .rootGovern,
        "listNodes": .rootRead, "listReservations": .rootRead, "checkBooks": .rootGovern, "listAudit": .list,
        "followEvents": .list, "listDoubt": .list, "resolveDoubt": .rootGovern, "getHealth": .open,
        "getReadiness": .open, "getDocument": .open,
    ]

    enum Who: String, CaseIterable, Sendable { case nobody, proxy, member, viewer, head, admin, bootstrap }

    /// Accounts as a key of `engineering` stands to them.
    enum Place: String, CaseIterable, Sendable {
        case own = "engineering", below = "search", above = "default", beside = "sales", unknown = "nowhere"
    }

    /// Whether a request gets past the door, and if not, how it is refused.
    static func expected(_ need: Need, _ who: Who, _ place: Place) -> HTTPResponse.Status? {
        if need == .open { return nil }
        switch who {
        case .nobody: return .unauthorized
        case .proxy, .member: return .forbidden
        case .bootstrap, .admin:
            if need == .bootstrap { return who == .bootstrap ? nil : .forbidden }
            return nil
        case .viewer, .head: break
        }
        switch need {
        case .bootstrap, .rootRead, .rootGovern: return .forbidden
        case .list, .open: return nil
        case .read, .decide, .govern:
            guard place == .own || place == .below else { return .notFound }
            if need == .read { return nil }
            return need == .decide && who == .head && place == .below ? nil : .forbidden
        }
    }

    @Test("Every operation is open to exactly the roles and accounts that it should be")
    func table() async throws {
        try await LiveConsole.run { console in
            try await console.tree()
            var keys: [Who: String] = [.bootstrap: LiveConsole.token]
            for (who, role) in [
                (.proxy, .proxy), (.member, .member), (.viewer, .viewer), (.head, .head),
            ] as [(Who, KeyRole)] { keys[who] = try await console.key(role, of: "engineering") }
            keys[.admin] = try await console.key(.admin, of: "default")
            let routes = console.parts.console.routes().routes
            #expect(Set(routes.map(\.name)) == Set(Self.needs.keys))
            for route in routes where route.name != "followEvents" {
                let need = try #require(Self.needs[route.name])
                for place in Place.allCases where route.pattern.contains("{account}") || place == .own {
                    for who in Who.allCases {
                        try await probe(console, route, need, who, keys[who], place)
                    }
                }
            }
        }
    }

    private func probe(
        _ console: LiveConsole, _ route: Route, _ need: Need, _ who: Who, _ key: String?, _ place: Place
    ) async throws {
        let path = try await restocked(console, route, place)
        // An empty body is wrong for every operation that has one: who gets that far has passed.
        let body = route.body == nil ? nil : "[]"
        let reply = try await console.send(route.method, path, body, key: key)
        let refusal = Self.expected(need, who, place)
        let note = "\(route.name) \(who.rawValue) \(place.rawValue): \(reply)"
        if let refusal {
            #expect(reply.status == refusal, "\(note)")
        } else if place == .unknown {
            #expect([404, 422].contains(reply.status.code), "\(note)")
        } else {
            #expect(![401, 403, 404].contains(reply.status.code) && reply.status.code < 500, "\(note)")
        }
    }

    /// The path of a route with things that exist put in for its parameters.
    private func restocked(_ console: LiveConsole, _ route: Route, _ place: Place) async throws -> String {
        let account = place.rawValue
        var path = route.pattern.replacing("{account}", with: account).replacing("{organisation}", with: "default")
        guard route.pattern.contains("{account}"), place != .unknown else {
            return path.replacing("{budget}", with: "b").replacing("{key}", with: "k")
                .replacing("{period}", with: "2026-11").replacing("{adjustment}", with: "a").replacing(
                    "{doubt}", with: "g.0.s")
        }
        let root = "/api/v1/accounts/\(account)"
        if account != "default" {
            let parent = account == "search" ? "engineering" : "default"
            try await console.put(root, #"{"parent":"\#(parent)"}"#)
        }
        if path.contains("{budget}") {
            let made = try await console.put("\(root)/budgets/b", LiveConsole.tokens(10))
            path = path.replacing("{budget}", with: "b")
            path = path.replacing("{period}", with: made["live.period.id"].text ?? "")
        }
        if path.contains("{adjustment}") {
            let made = try await console.send(.post, "\(root)/budgets/b/adjustments", #"{"amount":1}"#)
            path = path.replacing("{adjustment}", with: made["id"].text ?? "")
        }
        if path.contains("{key}") {
            let id = APIKey(parsing: try await console.key(.viewer, of: account))?.id
            path = path.replacing("{key}", with: id ?? "")
        }
        if path.hasSuffix("/block") {
            if route.method == .get { try await console.put(path, #"{"reason":"x"}"#) }
            if route.method == .delete { _ = try await console.send(.delete, path) }
        }
        return path
    }

    @Test("Lists, audit and events show a department its own accounts and no others")
    func isolation() async throws {
        try await LiveConsole.run { console in
            try await console.tree()
            try await console.put("/api/v1/accounts/sales/budgets/secret", LiveConsole.tokens(77), .created)
            try await console.put("/api/v1/accounts/search/budgets/b", LiveConsole.tokens(5), .created)
            for role in [KeyRole.viewer, .head] {
                let key = try await console.key(role, of: "engineering")
                let accounts = try await console.get("/api/v1/accounts", key: key).items.map { $0["id"].text }
                #expect(accounts == ["engineering", "search"])
                let audit = try await console.get("/api/v1/audit?limit=200", key: key)
                #expect(!audit.items.isEmpty && !audit.text.contains("sales") && !audit.text.contains("secret"))
                #expect(Set(audit.items.map { $0["account"].text }) == ["engineering", "search"])
                for query in ["accounts?parent=sales", "audit?account=sales", "accounts?parent=default"] {
                    #expect(try await console.get("/api/v1/\(query)", key: key).status == .notFound)
                }
            }
        }
    }

    @Test("A head divides its own allowance below itself, and no more unless the account says overcommit")
    func sumRule() async throws {
        try await LiveConsole.run { console in
            try await console.tree()
            try await console.put("/api/v1/accounts/ads", #"{"parent":"engineering"}"#, .created)
            try await console.put("/api/v1/accounts/crawler", #"{"parent":"search"}"#, .created)
            let head = try await console.key(.head, of: "engineering")
            func set(_ account: String, _ amount: Int64, name: String = "m") async throws -> Reply {
                try await console.put(
                    "/api/v1/accounts/\(account)/budgets/\(name)", LiveConsole.tokens(amount), key: head)
            }
            #expect(try await set("search", 600).status == .created)
            let over = try await set("ads", 401)
            #expect(over.status == .conflict && over.code == "sum_exceeded")
            #expect(try await set("ads", 400).status == .created)
            #expect(try await set("ads", 401).code == "sum_exceeded")
            // What a team gives on is bounded by the team's own, and not counted twice.
            #expect(try await set("crawler", 600).status == .created)
            #expect(try await set("crawler", 601).code == "sum_exceeded")
            let adjustment = "/api/v1/accounts/ads/budgets/m/adjustments"
            #expect(try await console.send(.post, adjustment, #"{"amount":1}"#, key: head).code == "sum_exceeded")
            #expect(try await console.send(.post, adjustment, #"{"amount":-1}"#, key: head).status == .created)
            #expect(try await console.send(.post, adjustment, #"{"amount":1}"#, key: head).status == .created)
            // Another unit or length of period is another sum.
            let hourly = #"{"unit":"tokens","amount":9999,"period":{"every":"hour"}}"#
            #expect(try await console.put("/api/v1/accounts/ads/budgets/h", hourly, key: head).status == .created)
            try await console.send(.patch, "/api/v1/accounts/engineering", #"{"overcommit":true}"#).expect(.ok)
            #expect(try await set("ads", 4000).status == .ok)
            // Admins are not bound.
            try await console.send(.patch, "/api/v1/accounts/engineering", #"{"overcommit":false}"#).expect(.ok)
            #expect(try await set("ads", 4001).code == "sum_exceeded")
            try await console.put("/api/v1/accounts/ads/budgets/m", LiveConsole.tokens(5000), .ok)
        }
    }

    @Test("A head makes keys that spend or read, below itself, and handles no others")
    func headKeys() async throws {
        try await LiveConsole.run { console in
            try await console.tree()
            let head = try await console.key(.head, of: "engineering")
            for role in [KeyRole.member, .viewer, .proxy] {
                let text = try await console.key(role, of: "search", maker: head)
                let id = try #require(APIKey(parsing: text)?.id)
                #expect(
                    try await console.send(.delete, "/api/v1/accounts/search/keys/\(id)", key: head).status
                        == .noContent)
            }
            let body = #"{"name":"x","role":"head"}"#
            #expect(try await console.send(.post, "/api/v1/accounts/search/keys", body, key: head).status == .forbidden)
            let other = try #require(APIKey(parsing: try await console.key(.head, of: "search"))?.id)
            let path = "/api/v1/accounts/search/keys/\(other)"
            #expect(try await console.send(.delete, path, key: head).status == .forbidden)
            #expect(try await console.send(.post, path + "/rotate", key: head).status == .forbidden)
            // A key under another account's path is not there.
            #expect(try await console.get("/api/v1/accounts/sales/keys/\(other)").status == .notFound)
        }
    }

    @Test("A head lifts what a head has blocked, not what an admin has")
    func headBlocks() async throws {
        try await LiveConsole.run { console in
            try await console.tree()
            let head = try await console.key(.head, of: "engineering")
            let path = "/api/v1/accounts/search/block"
            try await console.put(path, #"{"reason":"a"}"#, .created, key: head)
            #expect(try await console.send(.delete, path, key: head).status == .noContent)
            try await console.put(path, #"{"reason":"b"}"#, .created)
            #expect(try await console.send(.delete, path, key: head).status == .forbidden)
            #expect(try await console.put(path, #"{"reason":"c"}"#, key: head).status == .forbidden)
            #expect(try await console.get(path)["reason"].text == "b")
        }
    }
}
