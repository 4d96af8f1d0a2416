// The books of many organisations on the shards of a cluster.

import Ledger
import RedisClient
import Testing
import TopologySupport

@testable import QuotaCore

@Suite("Sharded books", .serialized, .timeLimit(.minutes(2)))
struct ShardedBooksTests {
    private static let key = LeaseKey(generation: "g1", start: TestBooks.start)

    @Test(
        "Organisations spread over the shards by their hash tag; each one's commands go to its shard and to no replica")
    func spread() async throws {
        let cluster = try await TestCluster.start()
        let organisations = (0..<150).map { "org-\($0)" }
        let rounds = 8
        try await withClient(cluster.url) { client async throws in
            var homes: [Int: [String]] = [:]
            for organisation in organisations {
                let slot = try await client.send(["CLUSTER", "KEYSLOT", Ledger.prefix(organisation)]).int ?? 0
                homes[cluster.primary(of: Int(slot)), default: []].append(organisation)
            }
            let ledger = Ledger(redis: client)
            try await each(organisations) { try await found($0, ledger) }
            for node in cluster.primaries { try await ask(node, "CONFIG", "RESETSTAT") }
            try await each(organisations) { organisation in
                for round in 1...rounds { try await exchange(organisation, Int64(round), ledger) }
            }
            for (index, node) in cluster.primaries.enumerated() {
                let own = homes[index] ?? []
                #expect(try await scripts(node) == own.count * rounds)
                // Of 150 organisations each third is 50, and chance strays from that by 6.
                #expect((30...70).contains(own.count), "\(own.count)")
                var there: Set<String> = []
                for key in try await ask(node, "KEYS", "bursar:{org-*").array?.compactMap(\.string) ?? [] {
                    there.insert(String(key.dropFirst("bursar:{".count).prefix { $0 != "}" }))
                }
                #expect(there == Set(own))
            }
            for node in cluster.replicas { #expect(try await scripts(node) == 0) }
            #expect(client.statistics.redirects == 0)
            for organisation in organisations {
                let book = try await ledger.books(
                    generation: "g1", start: TestBooks.start, organisation: organisation
                ).first
                #expect(book?.committed == Int64(rounds))
                #expect(book?.violations == [])
            }
            #expect(try await ledger.organisations() == organisations.sorted())
        }
    }

    @Test("While a slot moves no script runs on half of the books: they stand still, and go on in the new place")
    func moving() async throws {
        let cluster = try await TestCluster.start(replicated: false)
        let slot = try await cluster.slot(ofKey: Ledger.prefix("acme"))
        let home = cluster.primary(of: slot)
        let (source, target) = (cluster.primaries[home], cluster.primaries[(home + 1) % 3])
        try await withClient(cluster.url) { client async throws in
            let ledger = Ledger(redis: client)
            try await found("acme", ledger)
            try await exchange("acme", 1, ledger)
            try await cluster.begin(slot, from: source, to: target)
            for step in 0..<2 {
                let code = await refusal { () throws(LedgerError) in
                    try await ledger.exchange(
                        message(2), origin: .init(node: "n", advertise: ""), organisation: "acme",
                        timeout: .milliseconds(300))
                }
                #expect(code == .unavailable, "step \(step)")
                if step == 0 { try await cluster.moveKeys(slot, from: source, to: target) }
            }
            try await cluster.end(slot, at: target)
            #expect(try await ask(source, "KEYS", "bursar:{acme}*").array?.isEmpty == true)
            let book = try await ledger.books(generation: "g1", start: TestBooks.start, organisation: "acme").first
            #expect(book?.committed == 1, "no attempt was carried out")
            #expect(book?.violations == [])
            // Another server: it may have lost writes, for all that the books know. Nothing was lost, so nothing changes.
            let answer = try await ledger.exchange(
                message(2), origin: .init(node: "n", advertise: ""), organisation: "acme")
            #expect(answer.leases.first?.granted == 1)
            #expect(answer.groups == [.recovering])
        }
    }

    // MARK: Support

    private func found(_ organisation: String, _ ledger: Ledger) async throws {
        _ = try await ledger.createOrganisation(
            OrganisationSettings(name: organisation), timeToLive: 60_000, secrets: "{}", rootRecord: "{}",
            change: Change(actor: "test"), organisation: organisation)
        _ = try await ledger.putBudget(
            account: organisation, name: "monthly", fields: TestBooks.budgetFields, change: Change(actor: "test"),
            organisation: organisation)
    }

    /// One unit more.
    private func exchange(_ organisation: String, _ number: Int64, _ ledger: Ledger) async throws {
        let answer = try await ledger.exchange(
            message(number), origin: .init(node: "n", advertise: ""), organisation: organisation)
        #expect(answer.leases.first?.granted == number)
    }

    private func message(_ number: Int64) -> ExchangeMessage {
        ExchangeMessage(
            session: "s1", number: number, history: "", seq: 0, rulesVersion: 1, goodbye: false, next: 0, opened: [],
            closed: [], expired: [], parked: [],
            leases: [
                LeaseReport(
                    key: Self.key, granted: number - 1, used: number - 1, returned: 0, want: 0, demand: 0, answered: 0)
            ], groups: [[Need(key: Self.key, amount: 1, level: 0, token: false)]])
    }

    /// Runs `body` for all at once.
    private func each(
        _ organisations: [String], _ body: @escaping @Sendable (String) async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for organisation in organisations { group.addTask { try await body(organisation) } }
            try await group.waitForAll()
        }
    }

    /// How many scripts a server has run.
    private func scripts(_ node: LoopbackServer) async throws -> Int {
        let text = try await ask(node, "INFO", "commandstats").string ?? ""
        var done = 0
        for line in text.split(whereSeparator: \.isNewline)
        where line.hasPrefix("cmdstat_evalsha:") || line.hasPrefix("cmdstat_eval:") {
            func field(_ name: String) -> Int {
                line.firstRange(of: "\(name)=").map { Int(line[$0.upperBound...].prefix { $0.isNumber }) ?? 0 } ?? 0
            }
            done += field("calls") - field("failed_calls")
        }
        return done
    }
}
