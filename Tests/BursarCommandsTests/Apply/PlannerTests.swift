// Plans: what is added, changed, deleted, in which order, and that nothing is done twice.

import FoundationEssentials
import Testing

@testable import BursarCommands

@Suite("Plans of apply")
struct PlannerTests {
    private static let yaml = """
        organisation: {id: default, timezone: UTC}
        accounts:
        - id: search
          parent: engineering
          budgets: {monthly-usd: {unit: usd, amount: 5000, period: {every: month}}}
          keys: [{name: ci, role: proxy}]
        - id: engineering
          name: Engineering
        """

    private static func state() -> CurrentState {
        var state = CurrentState()
        state.organisation = .of(#"{"id":"default","timezone":"UTC","durability":"relaxed","version":3}"#)
        state.accounts = [
            "default": .of(#"{"id":"default","parent":null,"name":"default"}"#),
            "engineering": .of(#"{"id":"engineering","parent":"default","name":"Engineering"}"#),
            "search": .of(#"{"id":"search","parent":"engineering","name":"search"}"#),
        ]
        state.budgets = [
            "search": [
                "monthly-usd": .of(
                    #"{"unit":"usd","amount":"5000","mode":"enforce","period":{"every":"month","timezone":"UTC"}}"#)
            ]
        ]
        state.keys = ["search": [.of(#"{"id":"k1","name":"ci","role":"proxy"}"#)]]
        return state
    }

    private func plan(
        _ yaml: String = yaml, prune: Bool = false, _ change: (inout CurrentState) -> Void = { _ in }
    ) throws -> Plan {
        var state = Self.state()
        change(&state)
        return try Planner(file: try OrganisationFile(yaml: yaml), state: state, prune: prune).plan()
    }

    @Test("What is there already makes no plan")
    func idempotent() throws {
        let plan = try plan()
        #expect(plan.isEmpty, "\(plan.text(coloured: false))")
        #expect(plan.text(coloured: false) == "No changes.")
    }

    @Test("replica:1 in the file is replica at the console")
    func oneReplica() throws {
        let yaml = Self.yaml.replacing("timezone: UTC}", with: "timezone: UTC, durability: replica:1}")
        for (there, isEmpty) in [("replica", true), ("replica:2", false), ("relaxed", false)] {
            let plan = try plan(yaml) { state in
                state.organisation = .of(#"{"id":"default","timezone":"UTC","durability":"\#(there)"}"#)
            }
            #expect(plan.steps.filter { $0.subject == .organisation }.isEmpty == isEmpty, "\(there)")
        }
    }

    @Test("Everything is made in an order in which it can be made")
    func fromNothing() throws {
        let plan = try Planner(file: try OrganisationFile(yaml: Self.yaml), state: CurrentState(), prune: false).plan()
        #expect(
            plan.steps.map { "\($0.method.rawValue) \($0.path)" } == [
                "PUT /api/v1/organisations/default", "PUT /api/v1/accounts/engineering", "PUT /api/v1/accounts/search",
                "PUT /api/v1/accounts/search/budgets/monthly-usd", "POST /api/v1/accounts/search/keys",
            ])
        #expect(plan.summary == "Plan: 5 to add, 0 to change, 0 to delete.")
    }

    @Test("A changed field is patched, and shown with what it was")
    func change() throws {
        let plan = try plan(Self.yaml.replacing("amount: 5000", with: "amount: 6000"))
        #expect(plan.steps.map(\.path) == ["/api/v1/accounts/search/budgets/monthly-usd"])
        #expect(plan.steps.first?.method == .patch)
        #expect(plan.steps.first?.body == .object(["amount": .number(6000)]))
        #expect(
            plan.text(coloured: false) == """
                ~ budget search/monthly-usd
                    amount: "5000" -> 6000
                Plan: 0 to add, 1 to change, 0 to delete.
                """)
    }

    @Test("A nested field is named by its path")
    func nested() throws {
        let plan = try plan(Self.yaml.replacing("every: month", with: "every: day"))
        #expect(plan.text(coloured: false).contains("    period.every: \"month\" -> \"day\""))
    }

    @Test("null takes away what is there, and nothing where nothing is")
    func null() throws {
        let yaml = Self.yaml.replacing("name: Engineering", with: "name: Engineering\n  cost_centre: null")
        #expect(try plan(yaml).isEmpty)
        let plan = try plan(yaml) { state in
            state.accounts["engineering"] = .of(
                #"{"id":"engineering","parent":"default","name":"Engineering","cost_centre":"1"}"#)
        }
        #expect(plan.steps.first?.body == .object(["cost_centre": .null]))
    }

    @Test("Nothing is deleted without --prune")
    func noPrune() throws {
        #expect(try plan("accounts: []\n").isEmpty)
    }

    @Test("--prune deletes keys, then budgets, then accounts with the children first; the root stays")
    func prune() throws {
        let yaml = "accounts:\n- id: engineering\n- {id: search, keys: []}\n"
        let plan = try plan(yaml, prune: true) { state in
            state.accounts["old"] = .of(#"{"id":"old","parent":"default"}"#)
            state.accounts["older"] = .of(#"{"id":"older","parent":"old"}"#)
        }
        #expect(
            plan.steps.map(\.path) == [
                "/api/v1/accounts/search/keys/k1", "/api/v1/accounts/search/budgets/monthly-usd",
                "/api/v1/accounts/older", "/api/v1/accounts/old",
            ])
        #expect(plan.steps.allSatisfy { $0.method == .delete })
        #expect(plan.text(coloured: false).hasPrefix("- key search/ci\n"))
    }

    @Test("Keys of an account that lists none stay, also with --prune")
    func foreignKeys() throws {
        let yaml = Self.yaml.replacing("  keys: [{name: ci, role: proxy}]\n", with: "")
        #expect(try plan(yaml, prune: true).isEmpty)
    }

    @Test("A key keeps its role: another one in the file is a conflict")
    func role() throws {
        let error = #expect(throws: CommandError.self) {
            try plan(Self.yaml.replacing("role: proxy", with: "role: member"))
        }
        #expect(error?.code == .refused)
        #expect(error?.message.hasPrefix("org.yaml:6:") == true)
    }

    @Test("The price book is sent whole, with what the file says nothing of")
    func prices() throws {
        let yaml = "prices: [{model: m, input: 2.5, output: 10}]\n"
        let current = JSONValue.of(
            #"{"prices":[{"model":"m","input":"2.5","output":"9"}],"aliases":{"fast":"m"}}"#)
        let plan = try plan(yaml) { $0.prices = current }
        #expect(plan.steps.count == 1)
        #expect(plan.steps.first?.body?["aliases"] == current["aliases"])
        let same = try self.plan(yaml.replacing("10", with: "9")) { $0.prices = current }
        #expect(same.isEmpty)
    }

    @Test("An alias that the file does not have any more is a change")
    func aliases() throws {
        let plan = try plan("aliases: {}\n") { $0.prices = .of(#"{"prices":[],"aliases":{"fast":"m"}}"#) }
        #expect(plan.steps.first?.body?["aliases"] == .object([:]))
    }

    @Test("Colours are for terminals")
    func colours() throws {
        let plan = try plan("accounts: [{id: new}]\n")
        #expect(plan.text(coloured: true).contains("\u{1B}[32m+ account new\u{1B}[0m"))
        #expect(plan.text(coloured: false).hasPrefix("+ account new\n"))
    }
}
