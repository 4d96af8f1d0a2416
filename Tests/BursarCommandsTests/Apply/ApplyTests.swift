// `apply` against a real console: what it makes is what it later finds.

import AsyncHTTPClient
import NIOCore
import Testing

@testable import BursarCommands

@Suite("Apply against a console", .timeLimit(.minutes(2)))
struct ApplyTests {
    private static func plan(
        _ yaml: String, _ client: ConsoleClient, prune: Bool = false
    ) async throws -> Plan {
        let file = try OrganisationFile(yaml: yaml)
        let state = try await CurrentState.read(client, for: file)
        return try Planner(file: file, state: state, prune: prune).plan()
    }

    private static func run(_ plan: Plan, _ client: ConsoleClient) async throws {
        try await PlanRunner(client: client, name: "org.yaml").run(plan) { _, _ in }
    }

    @Test("The demo organisation is made once, with its keys; the second run has no changes")
    func twice() async throws {
        try await RealConsole.with { client in
            let keys = try await DemoOrganisation.apply(to: client)
            #expect(keys.count == 6)
            #expect(keys.allSatisfy { $0.secret.hasPrefix("bsr_default_") })
            let again = try await Self.plan(DemoOrganisation.yaml, client, prune: true)
            #expect(again.isEmpty, "\(again.text(coloured: false))")
            let more = try await DemoOrganisation.apply(to: client)
            #expect(more.isEmpty)
        }
    }

    @Test("A changed amount and a removed account are all that a later plan has, and then nothing")
    func changes() async throws {
        try await RealConsole.with { client in
            let first = """
                organisation: {id: default}
                accounts:
                - id: a
                  budgets: {m: {unit: usd, amount: "5", period: {every: month}}}
                  keys: [{name: k, role: proxy}]
                - {id: b, parent: a}
                """
            try await Self.run(try await Self.plan(first, client), client)
            let second = """
                organisation: {id: default}
                accounts:
                - id: a
                  budgets: {m: {unit: usd, amount: "6.50", period: {every: month}}}
                """
            let plan = try await Self.plan(second, client, prune: true)
            #expect(
                plan.text(coloured: false) == """
                    ~ budget a/m
                        amount: "5" -> "6.50"
                    - account b
                    Plan: 0 to add, 1 to change, 1 to delete.
                    """)
            try await Self.run(plan, client)
            let after = try await Self.plan(second, client, prune: true)
            #expect(after.isEmpty, "\(after.text(coloured: false))")
        }
    }

    @Test("What the server refuses is told with its place in the file")
    func refused() async throws {
        try await RealConsole.with { client in
            let yaml = "organisation: {id: default}\naccounts:\n- id: a\n  parent: nobody\n"
            let plan = try await Self.plan(yaml, client)
            let error = await #expect(throws: CommandError.self) { try await Self.run(plan, client) }
            #expect(error?.message.hasPrefix("account a: org.yaml:4:3: /parent") == true, "\(error?.message ?? "")")
        }
    }

    @Test("A wrong token is denied: exit code 3")
    func denied() async throws {
        try await RealConsole.with { client in
            let http = ConsoleClient.makeHTTPClient(timeout: .seconds(10), caFile: nil)
            let stranger = ConsoleClient(
                base: client.base, token: "wrong", organisation: nil, timeout: .seconds(10), http: http)
            let error = await #expect(throws: CommandError.self) { try await stranger.get("/api/v1/accounts") }
            #expect(error?.code == .refused)
            try await http.shutdown()
        }
    }
}
