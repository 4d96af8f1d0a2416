// Budgets over the wire, and their live books.

import HTTPSupport
import HTTPTypes
import Ledger
import QuotaCore
import RedisClient
import Testing

@testable import Console

@Suite("Budgets")
struct BudgetTests {
    static let path = "/api/v1/accounts/engineering/budgets/monthly"

    @Test("What is left out is filled in and shown")
    func defaults() async throws {
        try await LiveConsole.run { console in
            try await console.send(.patch, "/api/v1/organisations/default", #"{"timezone":"America/New_York"}"#)
                .expect(.ok)
            try await console.tree()
            let budget = try await console.get(Self.path)
            #expect(budget["mode"].text == "enforce")
            #expect(budget["period.timezone"].text == "America/New_York")
            #expect(budget["period.starts_on_day"].int == 1)
            #expect(budget["policy"].list.map { $0["do"].text } == ["warn", "block"])
            #expect(budget["outage.mode"].text == "spend_leases" && budget["outage.for_s"].int == 30)
            #expect(budget["abandoned"].text == "charge")
            #expect(budget["amount"].int == 1000)
            #expect(try await console.put(Self.path, budget.text).status == .ok)
        }
    }

    @Test("The live books of a budget that nobody used yet are its rule")
    func unused() async throws {
        try await LiveConsole.run { console in
            try await console.tree()
            let live = try await console.get(Self.path)["live"]
            for name in ["allowance", "remaining", "available"] { #expect(live[name].int == 1000) }
            for name in ["spent", "leased", "in_doubt", "worst_case_exposure"] { #expect(live[name].int == 0) }
            #expect(live["enforced"].flag == true && live["state"].text == "active")
            #expect(live["block_bound_s"].int == 30)
            let dollars = try await console.put(
                "/api/v1/accounts/search/budgets/usd",
                #"{"unit":"usd","amount":12.50,"period":{"every":"hour"},"outage":{"mode":"deny"}}"#)
            #expect(dollars["amount"].text == "12.5" && dollars["live.allowance"].text == "12.5")
            #expect(dollars["live.block_bound_s"].int == 5)
            let id = try #require(dollars["live.period.id"].text)
            #expect(id.hasSuffix("Z") && id.count == 14)
        }
    }

    @Test("What was charged shows in spent, remaining and available, and in the state")
    func charged() async throws {
        try await LiveConsole.run { console in
            try await console.tree()
            for (amount, spent, state) in [(700, 700, "active"), (100, 800, "warned")] as [(Int64, Int64, String)] {
                try await console.charge("engineering", "monthly", amount)
                let live = try await console.get(Self.path)["live"]
                #expect(live["spent"].int == spent && live["remaining"].int == 1000 - spent)
                #expect(live["available"].int == 1000 - spent && live["state"].text == state)
                #expect(live["worst_case_exposure"].int == 0)
            }
            try await console.charge("engineering", "monthly", 250)
            let over = try await console.get(Self.path)["live"]
            #expect(over["remaining"].int == -50 && over["worst_case_exposure"].int == 50)
            try await console.put(Self.path, LiveConsole.tokens(2000), .ok)
            let raised = try await console.get(Self.path)["live"]
            #expect(raised["allowance"].int == 2000 && raised["spent"].int == 1050)
            #expect(raised["state"].text == "active")
        }
    }

    @Test("The exposure is the sum of its terms: above the limit, granted lately, the emergency amount")
    func exposure() async throws {
        try await LiveConsole.run { console in
            try await console.tree()
            let outage = #","outage":{"mode":"allow","for_s":30,"amount":70}"#
            try await console.put(Self.path, LiveConsole.tokens(1000, more: outage), .ok)
            let quiet = try await console.get(Self.path)["live"]
            #expect(quiet["worst_case_exposure"].int == 70 && quiet["exposure.overruns"].text == "none")
            _ = try await console.leaveInDoubt(40, of: "engineering", "monthly")
            try await console.charge("engineering", "monthly", 965)
            let live = try await console.get(Self.path)["live"]
            #expect(live["exposure.above_limit"].int == 5 && live["exposure.emergency"].int == 70)
            #expect(live["exposure.granted_lately"].int == 40 && live["exposure.overruns"].text == "unbounded")
            #expect(live["worst_case_exposure"].int == 115)
            let later = try await eventually {
                try await console.get(Self.path)["live.exposure.granted_lately"].int == 0
            }
            #expect(later)
        }
    }

    @Test("A budget without a block step, or in shadow, is not enforced and its exposure unbounded")
    func soft() async throws {
        try await LiveConsole.run { console in
            try await console.tree()
            for more in [#","policy":[{"at":0.5,"do":"warn"}]"#, #","mode":"shadow""#] {
                let budget = try await console.put(Self.path, LiveConsole.tokens(10, more: more), .ok)
                #expect(budget["live.enforced"].flag == false)
                #expect(budget["live.worst_case_exposure"].text == "unbounded")
            }
        }
    }

    @Test("A block above makes the state blocked, its end ends it")
    func blocked() async throws {
        try await LiveConsole.run { console in
            try await console.tree()
            try await console.put("/api/v1/accounts/search/budgets/b", LiveConsole.tokens(5), .created)
            let path = "/api/v1/accounts/engineering/block"
            #expect(try await console.put(path, #"{}"#).status.code == 422)
            let put = try await console.put(path, #"{"reason":"runaway"}"#)
            #expect(put.status == .created && put["reason"].text == "runaway")
            #expect(try await console.put(path, #"{"reason":"still"}"#).status == .ok)
            for budget in [Self.path, "/api/v1/accounts/search/budgets/b"] {
                #expect(try await console.get(budget)["live.state"].text == "blocked")
            }
            #expect(try await console.get("/api/v1/accounts/engineering")["block.reason"].text == "still")
            #expect(try await console.send(.delete, path).status == .noContent)
            #expect(try await console.send(.delete, path).status == .noContent)
            #expect(try await console.get(path).status == .notFound)
            #expect(try await console.get(Self.path)["live.state"].text == "active")
        }
    }

    @Test(
        "A wrong rule is 422 naming the field",
        arguments: [
            (#"{"unit":"tokens","amount":-1,"period":{"every":"month"}}"#, "/amount"),
            (#"{"unit":"tokens","amount":"NaN","period":{"every":"month"}}"#, "/amount"),
            (#"{"unit":"tokens","amount":1.5,"period":{"every":"month"}}"#, "/amount"),
            (#"{"unit":"eur","amount":1,"period":{"every":"month"}}"#, "/unit"),
            (#"{"unit":"tokens","period":{"every":"month"}}"#, "/amount"),
            (#"{"unit":"tokens","amount":1}"#, "/period"),
            (#"{"unit":"tokens","amount":1,"period":{"every":"moon"}}"#, "/period/every"),
            (#"{"unit":"tokens","amount":1,"period":{"every":"month","timezone":"X/Y"}}"#, "/period/timezone"),
            (#"{"unit":"tokens","amount":1,"period":{"every":"month","day":1}}"#, "/period/day"),
            (
                #"{"unit":"tokens","amount":1,"period":{"every":"month"},"policy":[{"at":0,"do":"warn"}]}"#,
                "/policy/0/at"
            ),
            (#"{"unit":"tokens","amount":1,"period":{"every":"month"},"policy":[{"at":1,"do":"x"}]}"#, "/policy/0/do"),
            (#"{"unit":"tokens","amount":1,"period":{"every":"month"},"outage":{"mode":"deny","x":1}}"#, "/outage/x"),
            (#"{"unit":"tokens","amount":1e400,"period":{"every":"month"}}"#, ""),
        ])
    func refusals(_ body: String, _ pointer: String) async throws {
        try await LiveConsole.run { console in
            try await console.put("/api/v1/accounts/engineering", "{}", .created)
            let reply = try await console.put(Self.path, body)
            #expect(reply.status == .unprocessableContent, "\(reply)")
            #expect(reply["errors"].list.first?["pointer"].text == pointer, "\(reply)")
            #expect(try await console.get(Self.path).status == .notFound)
        }
    }

    @Test("The unit of a budget with books stays: 409; a deleted one made anew begins at zero")
    func remade() async throws {
        try await LiveConsole.run { console in
            try await console.tree()
            try await console.charge("engineering", "monthly", 5)
            let other = #"{"unit":"requests","amount":1,"period":{"every":"month"}}"#
            #expect(try await console.put(Self.path, other).status == .conflict)
            #expect(try await console.send(.delete, Self.path).status == .noContent)
            #expect(try await console.send(.delete, Self.path).status == .notFound)
            try await console.put(Self.path, other, .created)
            #expect(try await console.get(Self.path)["live.spent"].int == 0)
        }
    }

    @Test("Sixteen periods are planned; a changed zone begins where the present period ends")
    func periods() async throws {
        try await LiveConsole.run { console in
            try await console.tree()
            func stored() async throws -> [Period] {
                PeriodPlan.parse(
                    try await console.ledger.budget(
                        account: "engineering", name: "monthly", organisation: "default"
                    ).periods)
            }
            let before = try await stored()
            #expect(before.count == 16)
            try await console.charge("engineering", "monthly", 1)
            try await console.put(
                Self.path,
                #"{"unit":"tokens","amount":9,"period":{"every":"month","timezone":"Asia/Tokyo","starts_on_day":15}}"#,
                .ok)
            let after = try await stored()
            #expect(after.first == before.first && after.count == 16)
            #expect(zip(after, after.dropFirst()).allSatisfy { $0.end == $1.start && $0.id < $1.id })
            let rule = try PeriodRule(every: .month, timezone: "Asia/Tokyo", startsOnDay: 15)
            #expect(rule.period(containing: after[5].start) == after[5])
        }
    }

    @Test("Statements list the periods with books, and one is found by its id")
    func statements() async throws {
        try await LiveConsole.run { console in
            try await console.tree()
            let id = try #require(try await console.get(Self.path)["live.period.id"].text)
            #expect(try await console.get(Self.path + "/periods").items.count == 1)
            try await console.charge("engineering", "monthly", 40)
            let list = try await console.get(Self.path + "/periods").items
            #expect(list.map { $0["period.id"].text } == [id])
            let one = try await console.get(Self.path + "/periods/\(id)")
            #expect(one.json == list.first)
            #expect(one["state"].text == "open" && one["spent"].int == 40 && one["charged_directly"].int == 40)
            let planned = PeriodPlan.parse(
                try await console.ledger.budget(account: "engineering", name: "monthly", organisation: "default")
                    .periods)
            let next = try await console.get(Self.path + "/periods/\(planned[1].id)")
            #expect(next["state"].text == "upcoming" && next["allowance"].int == 1000)
            for unknown in ["2001-01", "x", "2026-13", "9999"] {
                #expect(try await console.get(Self.path + "/periods/\(unknown)").status == .notFound)
            }
        }
    }

    @Test("A closed period has its final statement in the list and by its id; what comes late stands apart")
    func closed() async throws {
        try await LiveConsole.run { console in
            try await console.tree()
            let minutes = "/api/v1/accounts/engineering/budgets/minutely"
            try await console.put(
                minutes, #"{"unit":"tokens","amount":100,"period":{"every":"minute"},"rollover":{"max":30}}"#, .created)
            let row = try await console.ledger.budget(
                account: "engineering", name: "minutely", organisation: "default")
            let now = try await console.ledger.organisation("default").now / 1000
            let start = (now - 7200) / 60 * 60
            func charge(_ id: String, _ amount: Int64) async throws {
                let key = LeaseKey(generation: row.generation, start: start)
                _ = try await console.ledger.charge(
                    id: id, parts: [SettlementPart(key: key, charge: amount, hold: 0)], organisation: "default")
            }
            try await charge("c1", 90)
            // Nobody has closed it yet: whoever reads it does.
            let list = try await console.get(minutes + "/periods").items
            #expect(list.map { $0["state"].text } == ["open", "closed"])
            let statement = try #require(list.last)
            #expect(statement["spent"].int == 90 && statement["rolled_over"].int == 10 && statement["late"].int == 0)
            #expect(statement["closed_at"].text != nil && statement["late_at"] == .null)
            let id = try #require(statement["period.id"].text)
            #expect(try await console.get(minutes + "/periods/\(id)").json == statement)
            try await charge("c2", 5)
            let late = try await console.get(minutes + "/periods/\(id)")
            #expect(late["spent"].int == 90 && late["late"].int == 5 && late["late_at"].text != nil)
            #expect(try await console.get("/api/v1/audit?kind=period.closed").items.count == 1)
            let page = try await console.get(minutes + "/periods?limit=1")
            let cursor = try #require(page["next_cursor"].text)
            let rest = try await console.get(minutes + "/periods?limit=1&cursor=\(cursor)")
            #expect(rest.items.map { $0["period.id"].text } == [id] && rest["next_cursor"] == .null)
        }
    }

    @Test("An adjustment changes the allowance until it is taken back")
    func adjustments() async throws {
        try await LiveConsole.run { console in
            try await console.tree()
            let path = Self.path + "/adjustments"
            let added = try await console.send(.post, path, #"{"amount":"+250","reason":"launch"}"#)
            #expect(added.status == .created)
            #expect(added["amount"].int == 250 && added["expires"].text == "period_end")
            #expect(added["actor"].text == "bootstrap" && added["reason"].text == "launch")
            #expect(try await console.get(Self.path)["live.allowance"].int == 1250)
            try await console.charge("engineering", "monthly", 1)
            #expect(try await console.get(Self.path)["live.allowance"].int == 1250)
            #expect(try await console.send(.post, path, #"{"amount":-50,"expires":null}"#).status == .created)
            #expect(try await console.get(Self.path)["live.allowance"].int == 1200)
            let id = try #require(added["id"].text)
            #expect(try await console.get(path).items.count == 2)
            #expect(try await console.send(.delete, path + "/\(id)").status == .noContent)
            #expect(try await console.send(.delete, path + "/\(id)").status == .notFound)
            #expect(try await console.get(Self.path)["live.allowance"].int == 950)
            for (body, pointer) in [
                (#"{"amount":0}"#, "/amount"), (#"{"amount":"1.5"}"#, "/amount"), (#"{}"#, "/amount"),
                (#"{"amount":1,"expires":"soon"}"#, "/expires"), (#"{"amount":1,"until":1}"#, "/until"),
            ] {
                let reply = try await console.send(.post, path, body)
                #expect(reply["errors"].list.first?["pointer"].text == pointer, "\(reply)")
            }
            let past = try await console.send(.post, path, #"{"amount":1,"expires":"2001-01-01T00:00:00Z"}"#)
            #expect(past.status == .conflict)
        }
    }

    @Test("A POST repeated with its Idempotency-Key gives the first answer and changes nothing; another body is 422")
    func idempotency() async throws {
        try await LiveConsole.run { console in
            try await console.tree()
            let path = Self.path + "/adjustments"
            func post(_ body: String) async throws -> Reply {
                try await console.send(.post, path, body, headers: [.idempotencyKey: "k1"])
            }
            let first = try await post(#"{"amount":1}"#)
            let second = try await post(#"{"amount":1}"#)
            #expect(first.status == .created && second.text == first.text)
            #expect(second.headers[.idempotentReplayed] == "true")
            #expect(try await post(#"{"amount":2}"#).status.code == 422)
            #expect(try await console.get(path).items.count == 1)
        }
    }

    @Test("The check names no violation, and names every budget that it looked at")
    func check() async throws {
        try await LiveConsole.run { console in
            try await console.tree()
            try await console.charge("engineering", "monthly", 7)
            let items = try await console.get("/api/v1/check").items
            #expect(items.map { $0["budget"].text } == ["monthly"])
            #expect(items.allSatisfy { $0["violations"].list.isEmpty && $0["periods"].int == 1 })
            // A foreign hand in the books.
            let row = try await console.ledger.budget(account: "engineering", name: "monthly", organisation: "default")
            let start = try #require(
                try await console.ledger.books(generation: row.generation, organisation: "default").first?.start)
            _ = try await console.ledger.redis.send(
                ["HINCRBY", "bursar:{default}:book:\(row.generation):\(start)", "committed", "3"])
            let broken = try await console.get("/api/v1/check").items
            #expect(broken.first?["violations"].list.isEmpty == false)
        }
    }
}

extension Reply {
    func expect(_ status: HTTPResponse.Status) throws {
        if self.status != status { throw Unexpected(what: description) }
    }
}
