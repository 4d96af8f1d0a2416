// Sessions whose messages are lost, repeated and reordered, on a Redis that forgets, against a plain model of their rights.

@testable import Ledger
@testable import QuotaCore
import RedisClient
import Testing

@Suite struct InterleavingTests {
    /// A session as the model has it: what it saw, what it used and returned, and messages that are still on their way.
    private struct Node {
        let id: String
        var number: Int64 = 0
        var known: (history: String, seq: Int64) = ("", 0)
        var granted: Int64 = 0
        var used: Int64 = 0
        var returned: Int64 = 0
        var onTheWay: [ExchangeMessage] = []
        var idle: Int64 { max(0, granted - used - returned) }
    }

    private struct Random: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (state >> 33) ^ (state << 31)
        }
    }

    private static let limit: Int64 = 1000

    @Test(
        "Whatever happens to messages and to Redis, G1 and G2 hold after every call",
        arguments: [1, 2, 3, 4] as [UInt64])
    func interleaving(seed: UInt64) async throws {
        try await withDesk { desk async throws in
            var random = Random(state: seed &* 7919)
            var nodes = (0..<4).map { Node(id: "s\($0)") }
            var charges: [(id: String, amount: Int64)] = []
            var overruns: Int64 = 0
            var kept = false
            try await desk.tell("opener")
            for step in 0..<220 {
                desk.now += Int64.random(in: 0...40, using: &random)
                let index = Int.random(in: 0..<nodes.count, using: &random)
                switch Int.random(in: 0..<100, using: &random) {
                case 0..<70:
                    overruns += live(&nodes[index], &random)
                    let message = compose(&nodes[index], &random)
                    if Int.random(in: 0..<4, using: &random) == 0 { nodes[index].onTheWay.append(message) }
                    if Int.random(in: 0..<6, using: &random) > 0 {
                        try await deliver(message, to: desk, &nodes[index], seen: Bool.random(using: &random))
                    }
                case 70..<85:
                    guard let late = nodes[index].onTheWay.popLast() else { continue }
                    try await deliver(late, to: desk, &nodes[index], seen: false)
                case 85..<92:
                    if let again = charges.randomElement(using: &random), Bool.random(using: &random) {
                        #expect(try await !desk.charge(again.id, again.amount))
                    } else {
                        charges.append(("c\(step)", Int64.random(in: 0...5, using: &random)))
                        #expect(try await desk.charge("c\(step)", charges[charges.count - 1].amount))
                    }
                case 92..<96:
                    try await desk.books.save()
                    kept = true
                default:
                    guard kept else { continue }
                    try await desk.books.forget()
                    kept = false
                    desk.server = "r\(step)"
                    // All come back within one time to live, in any order, and re-tell what may be lost.
                    for place in nodes.indices.shuffled(using: &random) {
                        desk.now += Int64.random(in: 0...400, using: &random)
                        let message = compose(&nodes[place], &random)
                        try await deliver(message, to: desk, &nodes[place], seen: true)
                    }
                    for charge in charges { _ = try await desk.charge(charge.id, charge.amount) }
                    desk.now += 3001
                }
                let rights = nodes.reduce(0) { $0 + $1.granted - $1.returned }
                let direct = charges.reduce(0) { $0 + $1.amount }
                #expect(rights <= Self.limit + overruns, "G2 at step \(step)")
                #expect(try await desk.figures().committed <= Self.limit + overruns + direct, "G2 at step \(step)")
            }
            for place in nodes.indices {
                let message = compose(&nodes[place], &random, asking: false)
                try await deliver(message, to: desk, &nodes[place], seen: true)
                let node = nodes[place]
                #expect(try await desk.row(node.id) == [node.granted, node.used, node.returned, 0])
            }
            let figures = try await desk.figures()
            #expect(figures.spent == nodes.reduce(0) { $0 + $1.used } + charges.reduce(0) { $0 + $1.amount })
        }
    }

    /// Uses and returns some of what is idle. Gives what was used beyond it.
    private func live(_ node: inout Node, _ random: inout Random) -> Int64 {
        node.used += Int64.random(in: 0...node.idle, using: &random) / 2
        if Int.random(in: 0..<3, using: &random) == 0 { node.returned += node.idle / 2 }
        guard Int.random(in: 0..<15, using: &random) == 0 else { return 0 }
        let beyond = Int64.random(in: 1...5, using: &random)
        node.used += node.idle + beyond
        return beyond
    }

    private func compose(_ node: inout Node, _ random: inout Random, asking: Bool = true) -> ExchangeMessage {
        node.number += 1
        let demand = Int64.random(in: 0...60, using: &random)
        let asks = asking && Bool.random(using: &random)
        let report = LeaseReport(
            key: Desk.key, granted: node.granted, used: node.used, returned: node.returned,
            want: asks ? node.granted + demand : 0, demand: demand, answered: 0)
        let needs = asking && Int.random(in: 0..<3, using: &random) == 0
        let need = Need(key: Desk.key, amount: Int64.random(in: 0...150, using: &random), level: 0, token: false)
        return ExchangeMessage(
            session: node.id, number: node.number, history: node.known.history, seq: node.known.seq, rulesVersion: 1,
            goodbye: false, next: 0, opened: [], closed: [], expired: [], parked: [], leases: [report],
            groups: needs ? [[need]] : [])
    }

    /// Brings a message to the books, and its answer to the node unless it is lost.
    private func deliver(_ message: ExchangeMessage, to desk: Desk, _ node: inout Node, seen: Bool) async throws {
        let before = try await desk.ledger.books(generation: "g1", limit: 1, organisation: TestBooks.organisation)
        let answer = try await desk.ledger.exchange(
            message, origin: .init(node: "n", advertise: ""), organisation: TestBooks.organisation)
        try await desk.check()
        if let before = before.first, answer.history == message.history, let told = message.leases.first,
            let lease = answer.leases.first
        {
            let beyond = max(0, told.used + told.returned - told.granted)
            #expect(lease.committed <= max(Self.limit, before.committed) + beyond, "G2 in one call")
        }
        guard seen, let lease = answer.leases.first, message.number == node.number else { return }
        node.granted = max(node.granted, lease.granted)
        if answer.history == node.known.history {
            node.known.seq = max(node.known.seq, answer.seq)
        } else if lease.granted >= node.granted {
            node.known = (answer.history, answer.seq)
        }
    }
}
