// The OpenAPI document: complete, and true of what the console answers.

import HTTPSupport
import HTTPTypes
import Ledger
import Testing

@testable import Console

@Suite("OpenAPI document")
struct DocumentTests {
    @Test("It is OpenAPI 3.1, has every operation once, and every schema that is referred to exists")
    func complete() async throws {
        try await LiveConsole.run { console in
            let reply = try await console.get("/openapi.json", key: nil)
            #expect(reply.status == .ok)
            let json = try #require(reply.json)
            #expect(json["openapi"].text == "3.1.0")
            let schemas = try #require(json["components.schemas"].members)
            let routes = console.parts.console.routes().routes
            for route in routes {
                let operation = try #require(
                    json.members?["paths"]?.members?[route.pattern]?.members?[route.method.rawValue.lowercased()])
                #expect(operation["operationId"].text == route.name)
            }
            #expect(Set(routes.map(\.name)).count == routes.count)
            var referred: Set<String> = []
            Self.references(json, &referred)
            #expect(referred.subtracting(schemas.keys) == [])
        }
    }

    private static func references(_ value: JSONValue, _ found: inout Set<String>) {
        switch value {
        case .object(let members):
            if case .string(let text)? = members["$ref"] {
                found.insert(text.replacing("#/components/schemas/", with: ""))
            }
            for member in members.values { references(member, &found) }
        case .array(let items): for item in items { references(item, &found) }
        default: break
        }
    }

    @Test("Fields of bodies are those that the records know")
    func fields() throws {
        func names(_ schema: String) throws -> Set<String> {
            let json = try #require(Schemas.all.first { $0.name == schema }.flatMap { JSONValue($0.json) })
            return Set(try #require(json["properties"].members).keys)
        }
        #expect(try names("BudgetBody").isSuperset(of: Set(Schemas.budgetMembers.map(\.0))))
        for (name, shape) in [("BudgetBody", Shape.budget), ("AccountBody", Shape.account)] {
            guard case .fields(let fields) = shape else { continue }
            #expect(try names(name).isSuperset(of: fields.keys))
        }
        for schema in Schemas.all { #expect(JSONValue(schema.json) != nil, "\(schema.name)") }
    }

    @Test("Answers have the members that their schemas require, and no others")
    func answers() async throws {
        try await LiveConsole.run { console in
            try await console.tree()
            try await console.put("/api/v1/accounts/engineering/block", #"{"reason":"x"}"#, .created)
            _ = try await console.key(.viewer, of: "engineering")
            try await console.send(.post, BudgetTests.path + "/adjustments", #"{"amount":3}"#).expect(.created)
            _ = try await console.leaveInDoubt(5, of: "engineering", "monthly")
            for (path, schema) in [
                ("accounts/engineering", "Account"), ("accounts", "AccountList"), ("organisations", "OrganisationList"),
                ("accounts/engineering/budgets/monthly", "Budget"), ("accounts/engineering/budgets", "BudgetList"),
                ("accounts/engineering/budgets/monthly/periods", "StatementList"),
                ("accounts/engineering/budgets/monthly/adjustments", "AdjustmentList"),
                ("accounts/engineering/block", "Block"), ("accounts/engineering/keys", "KeyList"),
                ("prices", "PriceBook"), ("nodes", "NodeList"), ("reservations", "ReservationList"),
                ("check", "CheckList"), ("audit", "AuditList"), ("doubt", "DoubtList"),
            ] {
                let reply = try await console.get("/api/v1/\(path)")
                #expect(reply.status == .ok)
                try judge(try #require(reply.json), schema, path)
            }
        }
    }

    /// Compares the members of an answer, and of a list's items, with what the schema says.
    private func judge(_ value: JSONValue, _ schema: String, _ path: String) throws {
        let json = try #require(Schemas.all.first { $0.name == schema }.flatMap { JSONValue($0.json) })
        let members = Set(try #require(value.members).keys)
        let required = Set(json["required"].list.compactMap(\.text))
        let known = Set(try #require(json["properties"].members).keys)
        #expect(required.subtracting(members) == [], "\(path)")
        #expect(members.subtracting(known) == [], "\(path)")
        guard let items = value.members?["items"]?.list else { return }
        if let name = json["properties.items.items.$ref"].text
            ?? json.members?["properties"]?.members?["items"]?
            .members?["items"]?.members?["$ref"]?.text
        {
            for item in items { try judge(item, name.replacing("#/components/schemas/", with: ""), path) }
        }
    }

    @Test("Whatever comes, the status is one that the document names", arguments: [0, 1, 2, 3])
    func statuses(_ seed: Int) async throws {
        let bodies = [
            "", "{}", "[]", "null", "{", "\"\u{1}\"", #"{"amount":1e309}"#, #"{"name":"\ud800"}"#, #"{"unit":{}}"#,
            #"{"unit":"usd","amount":"9999999999999999","period":{"every":"month"}}"#,
            #"{"unit":"usd","amount":"1","period":{"every":"year","starts_on_day":31,"starts_in_month":2}}"#,
            #"{"unit":"tokens","amount":4503599627370496,"period":{"every":"week","starts_on_day":7}}"#,
            #"{"name":"x","role":"viewer","expires_at":"9999-12-31T23:59:59Z"}"#, #"{"reason":"\u0000"}"#,
            #"{"amount":"-0"}"#, #"{"amount":"+4503599627370497"}"#, #"{"parent":"default","parent":"x"}"#,
            String(repeating: "[", count: 100), #"{"labels":{"":""}}"#, #"{"prices":[{}],"aliases":{"a":"a"}}"#,
        ]
        let words = ["default", "engineering", "monthly", "..", "%00", "%C3%A9", "x", "2026-11", "%2F", "-"]
        try await LiveConsole.run { console in
            try await console.tree()
            var random = SystemRandomNumberGenerator()
            for route in console.parts.console.routes().routes where route.name != "followEvents" {
                let documented = Set(route.problemStatuses + route.successes.map(\.status))
                for index in 0..<12 {
                    var path = route.pattern
                    for name in route.parameterNames {
                        path = path.replacing("{\(name)}", with: words.randomElement(using: &random) ?? "x")
                    }
                    if index % 4 == seed { path += ["?limit=x", "?cursor=00", "?a=%ff", "?parent=&x"][index % 3] }
                    let body = route.body == nil && index % 2 == 0 ? nil : bodies.randomElement(using: &random)
                    let headers: HTTPFields = index % 5 == 4 ? [.ifMatch: ["*", "7", "\"9\"", "W/\"1\""][seed]] : [:]
                    let reply = try await console.send(route.method, path, body, headers: headers)
                    #expect(documented.contains(reply.status.code), "\(route.name) \(path) \(body ?? "-"): \(reply)")
                    #expect(reply.status.code < 500, "\(route.name) \(path) \(body ?? "-"): \(reply)")
                }
            }
        }
    }
}
