// What `apply` refuses before it asks a server, and where it says the problem is.

import Testing

@testable import BursarCommands

@Suite("The file of apply")
struct OrganisationFileTests {
    private func problems(_ yaml: String) -> [String] {
        do {
            _ = try OrganisationFile(yaml: yaml)
            return []
        } catch {
            #expect(error.code == .usage)
            return error.message.split(separator: "\n").map(String.init)
        }
    }

    @Test("The contract's example is accepted")
    func example() throws {
        let file = try OrganisationFile(
            yaml: """
                organisation: {id: default, timezone: UTC, durability: relaxed, unpriced: deny}
                accounts:
                - id: search
                  parent: engineering
                  name: Search
                  budgets: {monthly-usd: {unit: usd, amount: "5000", period: {every: month}}}
                  keys: [{name: ci, role: proxy}]
                prices: [{model: "gpt-4o*", from: 2026-01-01, input: "2.5", cache_read: "1.25", output: "10", max_output_tokens: 16384}]
                aliases: {fast: gpt-4o-mini}
                """)
        #expect(file.organisationID == "default")
        #expect(file.accounts?.first?.budgets.first?.id == "monthly-usd")
        #expect(file.accounts?.first?.keys.first?.name == "ci")
        #expect(file.prices != nil)
    }

    @Test("The demo organisation is accepted")
    func demo() {
        #expect(problems(DemoOrganisation.yaml) == [])
    }

    @Test(
        "Each problem is told with its line and field",
        arguments: [
            ("acounts: []\n", "1:1", "acounts"),
            ("accounts:\n- id: Search\n", "2:3", "'Search'"),
            ("accounts:\n- name: x\n", "2:3", "id is missing"),
            ("accounts:\n- id: a\n  nmae: x\n", "3:3", "nmae"),
            ("accounts:\n- id: a\n- id: a\n", "3:3", "twice"),
            ("accounts:\n- id: a\n  parent: b\n- id: b\n  parent: a\n", "2:3", "below itself"),
            (
                "accounts:\n- id: a\n  budgets:\n    m: {unit: usd, period: {every: month}}\n", "4:8",
                "amount is missing"
            ),
            (
                "accounts:\n- id: a\n  budgets:\n    m:\n      unit: usd\n      amount: -5\n      period: {every: month}\n",
                "6:7", "amount must not be negative"
            ),
            (
                "accounts:\n- id: a\n  budgets:\n    m:\n      unit: euro\n      amount: 5\n      period: {every: month}\n",
                "5:7", "unit"
            ),
            (
                "accounts:\n- id: a\n  budgets:\n    m:\n      unit: usd\n      amount: 5\n      period:\n        every: fortnight\n",
                "8:9", "every"
            ),
            ("accounts:\n- id: a\n  keys: [{name: k, role: boss}]\n", "3:20", "role must be one of"),
            ("accounts:\n- id: a\n  keys: [{role: proxy}]\n", "3:10", "name is missing"),
            ("prices: [{model: m, input: 1}]\n", "1:10", "output is missing"),
            ("organisation: {timezone: UTC}\n", "1:1", "id is missing"),
        ])
    func placed(yaml: String, place: String, text: String) {
        let found = problems(yaml)
        #expect(found.contains { $0.contains("org.yaml:\(place): ") && $0.contains(text) }, "\(found)")
    }

    @Test("All problems are told at once")
    func together() {
        #expect(problems("x: 1\ny: 2\naccounts:\n- id: A\n- id: B\n").count == 4)
    }

    @Test("Accounts come after their parents, however the file orders them")
    func order() throws {
        let file = try OrganisationFile(
            yaml: "accounts:\n- {id: c, parent: b}\n- {id: b, parent: a}\n- {id: a}\n- {id: d, parent: elsewhere}\n")
        let order = file.accountsInOrder.map(\.id)
        #expect(order.firstIndex(of: "a") ?? 9 < order.firstIndex(of: "b") ?? 0)
        #expect(order.firstIndex(of: "b") ?? 9 < order.firstIndex(of: "c") ?? 0)
        #expect(Set(order) == ["a", "b", "c", "d"])
    }
}

extension OrganisationFile {
    init(yaml: String) throws(CommandError) {
        try self.init(try PlacedValue(yaml: yaml, name: "org.yaml"), name: "org.yaml")
    }
}
