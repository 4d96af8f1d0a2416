// Grants and blocks that count only when a replica or the disk has them.

import QuotaCore
import RedisClient
import TestSupport
import Testing
import TopologySupport

@testable import Ledger

@Suite("Durable books", .serialized, .timeLimit(.minutes(1)))
struct DurableBooksTests {
    @Test("A grant counts when the replica has it; one that has not arrived stays booked, is told later and only once")
    func grants() async throws {
        try await withReplicated { desk, replica in
            desk.durability = .replicas(1)
            #expect(try await desk.tell("s1", need: 100).lease.granted == 100)
            #expect(try await granted(at: replica) == "100")

            replica.freeze()
            desk.timeout = .milliseconds(400)
            let error = await failing { () throws in try await desk.tell("s1", used: 100, need: 50) }
            #expect(error?.code == .notDurable)
            #expect(error?.message == "0 of 1 replicas acknowledged in time")
            #expect(try await desk.figures().committed == 150)
            // Who asks for less gets an answer meanwhile.
            desk.durability = .relaxed
            #expect(try await desk.tell("s2", need: 10).lease.granted == 10)

            replica.thaw()
            (desk.durability, desk.timeout) = (.replicas(1), nil)
            // What it needs is granted already, as its books have learned from the lost message's report.
            #expect(try await desk.tell("s1", used: 100).lease.granted == 150)
            #expect(try await granted(at: replica) == "150")
            let figures = try await desk.figures()
            #expect((figures.committed, figures.spent) == (160, 100))
        }
    }

    @Test("A block and a revocation count when the replica has them; their repeat waits again and changes nothing")
    func blocks() async throws {
        try await withReplicated { desk, replica in
            let books = desk.books
            try await books.account("search")
            let settings = OrganisationSettings(name: "Acme", durability: "replica")
            _ = try await books.ledger.updateOrganisation(settings, change: books.change(), organisation: "acme")
            replica.freeze()
            // Half of the client's time for a command is for the replica.
            let change = books.change()
            let error = await failing { () throws in
                try await block("search", change, books.ledger)
            }
            #expect(error?.code == .notDurable)
            let repeated = await failing { () throws in
                try await block("search", change, books.ledger)
            }
            #expect(repeated?.code == .notDurable, "a repeat that writes nothing is held to the same")
            replica.thaw()
            let written = try await block("search", change, books.ledger)
            #expect(written.replayed)
            let stored = try await ask(replica, "HGET", books.key("account:search"), "block").string
            #expect(stored == #"{"reason":"late"}"#)
            #expect(try await books.events().filter { $0.kind == "block.put" }.count == 1)
        }
    }

    @Test("A settlement for another node and a direct charge wait as well")
    func settlements() async throws {
        try await withReplicated { desk, replica in
            desk.durability = .replicas(1)
            _ = try await desk.tell("s1", need: 100)
            _ = try await desk.exchange("s1", next: 2, opened: [1])
            let parts = [SettlementPart(key: Desk.key, charge: 60, hold: 100)]
            let ledger = desk.ledger
            for replicas in [1, 2] {
                let settled = await failing { () throws in
                    try await ledger.settle(
                        session: "s1", number: 1, parts: parts, organisation: "acme", durability: .replicas(replicas),
                        timeout: .milliseconds(400))
                }
                let charged = await failing { () throws in
                    try await ledger.charge(
                        id: "c1", parts: [SettlementPart(key: Desk.key, charge: 5, hold: 0)], organisation: "acme",
                        durability: .replicas(replicas), timeout: .milliseconds(400))
                }
                for error in [settled, charged] { #expect(error?.code == (replicas == 1 ? nil : .notDurable)) }
            }
            #expect(try await ask(replica, "ZSCORE", desk.books.key("charges_at"), "c1").string != nil)
            #expect(try await ask(replica, "HLEN", desk.books.key("inbox:s1")).int == 1)
            #expect(try await desk.figures().direct == 5)
        }
    }

    @Test("What this Redis can't give is refused by name before the organisation's record asks for it")
    func proof() async throws {
        let cases: [(Durability, arguments: [String], refusal: String?)] = [
            (.relaxed, [], nil), (.disk, [], "appendonly is no"),
            (.disk, ["--appendonly", "yes", "--appendfsync", "everysec"], "appendfsync is everysec"),
            (.disk, ["--appendonly", "yes", "--appendfsync", "always"], nil),
            (.replicas(2), [], "0 of 2 replicas acknowledged in time"),
        ]
        for (durability, arguments, refusal) in cases {
            let server = try startedServer(arguments)
            try await withClient(server.url, configure: { $0.commandTimeout = .seconds(1) }) { client async throws in
                let error = await failing { () throws in
                    try await Ledger(redis: client).prove(durability, organisation: "acme")
                }
                #expect(error?.code == (refusal == nil ? nil : .invalid(pointer: "/durability")))
                if let refusal { #expect(error?.message.contains(refusal) == true, "\(error?.message ?? "")") }
            }
        }
    }

    // MARK: Support

    /// Books of one budget of 1,000 tokens on a primary with one replica.
    private func withReplicated(_ body: (Desk, LoopbackServer) async throws -> Void) async throws {
        let primary = try startedPrimary()
        try await patiently("the primary answers") { try await ask(primary, "PING") == .status("PONG") }
        let replica = try await startedReplica(of: primary)
        try await withClient(primary.url, configure: { $0.commandTimeout = .seconds(2) }) { client async throws in
            let books = TestBooks(redis: client)
            try await books.create()
            try await books.budget(TestBooks.organisation, "monthly", [("steps", "10000:block")])
            try await body(Desk(books), replica)
        }
    }

    private func granted(at replica: LoopbackServer) async throws -> String? {
        let name = Ledger.prefix(TestBooks.organisation) + "leases:\(Desk.key.generation):\(Desk.key.start)"
        let row = try await ask(replica, "HGET", name, "s1").string
        return row.flatMap { $0.split(separator: " ").first.map(String.init) }
    }

    private func block(_ account: String, _ change: Change, _ ledger: Ledger) async throws -> Written {
        try await ledger.putBlock(
            account: account, block: #"{"reason":"late"}"#, change: change, organisation: TestBooks.organisation)
    }

    private func failing<T>(_ body: () async throws -> T) async -> LedgerError? {
        do {
            _ = try await body()
            return nil
        } catch {
            return error as? LedgerError ?? LedgerError(.unexpectedAnswer, "\(error)")
        }
    }
}
