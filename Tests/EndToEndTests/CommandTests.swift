// The command line as administrators use it: tables for people, JSON for programs, ids for scripts.

import BursarCommands
import ProcessSupport
import Testing

extension EndToEnd {
    @Suite("The command line")
    struct Commands {
        @Test("apply shows the plan, makes it so, finds nothing to do the second time, and deletes only with --prune")
        func apply() async throws {
            try await Installation.with(applied: false) { bursar in
                let file = bursar.organisationFile
                let plan = try await bursar.succeed("apply", "-f", file, "--dry-run")
                #expect(plan.output.contains("engineering/tokens"), "\(plan)")
                #expect(!plan.output.contains("Applied"))
                let none = try await bursar.run("account", "get", "engineering")
                #expect(none.code == 1, "a dry run makes nothing: \(none)")
                let first = try await bursar.succeed("apply", "-f", file)
                #expect(first.output.matches(of: /bsr_default_/).count == 1, "\(first)")
                #expect(first.output.hasSuffix("Applied."), "\(first)")
                let second = try await bursar.succeed("apply", "-f", file)
                #expect(second.output == "No changes.")
                let json = try await bursar.succeed("apply", "-f", file, "--json")
                #expect(json.json["keys"] == .array([]), "\(json)")

                let less = try bursar.write(
                    "less.yaml", Installation.file.replacing("- id: legal\n  parent: search", with: ""))
                let kept = try await bursar.succeed("apply", "-f", less)
                #expect(kept.output == "No changes.")
                let pruned = try await bursar.succeed("apply", "-f", less, "--prune")
                #expect(pruned.output.contains("legal"), "\(pruned)")
                let left = try await bursar.succeed("account", "list", "--quiet")
                #expect(!left.output.contains("legal"), "\(left)")
            }
        }

        @Test("A mistake in a file is told with its line, and nothing is changed")
        func mistakes() async throws {
            try await Installation.with(applied: false) { bursar in
                let file = try bursar.write(
                    "wrong.yaml", Installation.file.replacing("unit: tokens", with: "unit: beans"))
                let result = try await bursar.run("apply", "-f", file)
                #expect(result.code != 0, "\(result)")
                #expect(result.errors.contains("wrong.yaml:5"), "\(result)")
            }
        }

        @Test("Accounts, budgets, blocks, keys and prices are made, listed, changed and deleted")
        func manage() async throws {
            try await Installation.with(applied: false) { bursar in
                try await bursar.succeed("account", "put", "sales", "--parent", "default", "--name", "Sales")
                try await bursar.succeed("account", "set", "sales", "--cost-centre", "CC-1")
                let account = try await bursar.succeed("account", "get", "sales", "--json")
                #expect(account.json["cost_centre"]?.string == "CC-1", "\(account)")
                let accounts = try await bursar.succeed("account", "list")
                #expect(accounts.output.contains("ID"), "\(accounts)")
                #expect(accounts.output.contains("Sales"))

                try await bursar.succeed(
                    "budget", "put", "sales", "daily", "--unit", "tokens", "--amount", "1000", "--every", "day")
                try await bursar.succeed("budget", "set", "sales", "daily", "--amount", "2000")
                try await bursar.succeed("budget", "adjust", "sales", "daily", "--reason", "less", "--", "-500")
                let adjustments = try await bursar.succeed("budget", "adjustments", "sales", "daily")
                #expect(adjustments.output.contains("-500"), "\(adjustments)")
                let budget = try await bursar.succeed("budget", "get", "sales", "daily", "--json")
                #expect(budget.json["live.allowance"]?.text == "1500", "\(budget)")
                let budgets = try await bursar.succeed("budget", "list")
                #expect(budgets.output.contains(#/sales +daily +tokens +day .* 1500 /#), "\(budgets)")
                let periods = try await bursar.succeed("budget", "periods", "sales", "daily")
                #expect(periods.output.contains("1500"), "\(periods)")

                try await bursar.succeed("block", "set", "sales", "--reason", "a test")
                let blocks = try await bursar.succeed("block", "list")
                #expect(blocks.output.contains("a test"), "\(blocks)")
                try await bursar.succeed("block", "delete", "sales")
                let lifted = try await bursar.succeed("block", "list", "--json")
                #expect(lifted.json == .array([]), "\(lifted)")

                let key = try await bursar.succeed("key", "create", "sales", "--name", "ci", "--role", "member")
                #expect(key.output.wholeMatch(of: /bsr_default_[A-Za-z0-9_]+/) != nil, "only the key: \(key)")
                let id = try await bursar.succeed("key", "list", "sales", "--quiet").output
                let rotated = try await bursar.succeed("key", "rotate", "sales", id)
                #expect(rotated.output != key.output)
                try await bursar.succeed("key", "delete", "sales", id)

                let book = try bursar.write(
                    "prices.yaml", "prices: [{model: \"m*\", input: \"1\", output: \"2\"}]\naliases: {fast: m1}\n")
                try await bursar.succeed("prices", "put", "-f", book)
                let prices = try await bursar.succeed("prices")
                #expect(prices.output.contains("fast = m1"), "\(prices)")

                try await bursar.succeed("budget", "delete", "sales", "daily")
                try await bursar.succeed("account", "delete", "sales")
                let audit = try await bursar.succeed("audit", "--account", "sales", "--json")
                let kinds = Set(audit.json.items.compactMap { $0["kind"]?.string })
                #expect(kinds.isSuperset(of: ["account.put", "budget.put", "block.put", "key.put"]), "\(kinds)")
                let table = try await bursar.succeed("audit")
                #expect(table.output.contains("a test"), "\(table)")
            }
        }

        @Test("Organisations are made and named by header; the nodes and their sessions are listed")
        func organisations() async throws {
            try await Installation.with { bursar in
                try await bursar.succeed("org", "create", "acme", "--name", "Acme", "--timezone", "Europe/Berlin")
                try await bursar.succeed("org", "set", "acme", "--unpriced", "free")
                let list = try await bursar.succeed("org", "list")
                #expect(list.output.contains(#/acme +Acme +Europe/Berlin/#), "\(list)")
                let one = try await bursar.succeed("org", "get", "acme", "--json")
                #expect(one.json["unpriced"]?.string == "free", "\(one)")
                let accounts = try await bursar.succeed("account", "list", "--organisation", "acme", "--quiet")
                #expect(accounts.output == "acme", "\(accounts)")

                let gateway = try await bursar.gateway("g7")
                try await gateway.spend(1)
                let nodes = try await eventually(
                    { try await bursar.run("node") }, until: { $0.output.contains("g7") })
                #expect(nodes.output.contains(gateway.url), "\(nodes)")
                let check = try await bursar.succeed("check", "--json")
                #expect(!check.json.items.isEmpty, "\(check)")
            }
        }
    }
}
