// What is known of a cluster and what follows from its answers, without servers.

import NIOCore
import Testing
import TopologySupport

@testable import RedisClient

@Suite("The rules of a cluster")
struct ClusterRuleTests {
    private let here = RedisConfiguration.Endpoint.tcp(host: "10.0.0.1", port: 7000)

    @Test(
        "A slot is the CRC-16 of the key or of its hash tag",
        arguments: [
            ("123456789", 0x31C3), ("foo", 12182), ("{user1000}.following", 3443), ("user1000", 3443),
            ("foo{}{bar}", 8363), ("foo{{bar}}zap", 4015), ("{bar", 4015), ("foo{bar}{zap}", 5061), ("bar", 5061),
            ("", 0),
        ])
    func slots(key: String, slot: Int) { #expect(HashSlot.of(key) == slot) }

    @Test("A command goes by its second word, a script by its first key, some by none")
    func commandKeys() {
        let slot = HashSlot.of("{a}")
        #expect(HashSlot.of(["HGET", "{a}x", "f"]) == slot)
        #expect(HashSlot.of(["evalsha", "0123", "2", "{a}x", "{a}y", "z"]) == slot)
        #expect(HashSlot.of(["EVAL", "return 1", "0", "z"]) == nil)
        #expect(HashSlot.of(["INFO", "memory"]) == nil)
        #expect(HashSlot.of(["PING"]) == nil)
    }

    @Test("MOVED and ASK are read, with an empty host and with IPv6; nothing else is")
    func redirections() {
        let moved = Redirection("MOVED 3999 127.0.0.1:6381", from: here)
        #expect(moved?.isFinal == true)
        #expect(moved?.slot == 3999)
        #expect(moved?.endpoint == .tcp(host: "127.0.0.1", port: 6381))
        #expect(Redirection("ASK 1 :7002", from: here)?.endpoint == .tcp(host: "10.0.0.1", port: 7002))
        #expect(Redirection("ASK 1 ::1:7002", from: here)?.endpoint == .tcp(host: "::1", port: 7002))
        for text in [
            "MOVED", "MOVED 1", "MOVED x a:1", "MOVED 16384 a:1", "MOVED 1 a", "MOVED 1 a:0", "MOVED 1 ?:1",
            "ERR 1 a:1",
        ] { #expect(Redirection(text, from: here) == nil, "\(text)") }
        #expect(Redirection("ASK 1 :7002", from: nil) == nil)
    }

    private func row(_ first: Int64, _ last: Int64, _ host: String, _ port: Int64) -> RESPValue {
        .array([
            .integer(first), .integer(last),
            .array([.bulk(Array(host.utf8)), .integer(port), .bulk(Array("id".utf8))]),
            .array([.bulk(Array("replica".utf8)), .integer(9), .bulk(Array("id2".utf8))]),
        ])
    }

    @Test("CLUSTER SLOTS gives each slot its primary; replicas are no owners, and MOVED corrects one slot")
    func slotTable() throws {
        var table = try #require(
            SlotTable(.array([row(0, 99, "a", 1), row(200, 16383, "", 2), row(100, 110, "?", 3)]), from: here))
        let (first, second) =
            (RedisConfiguration.Endpoint.tcp(host: "a", port: 1), .tcp(host: "10.0.0.1", port: 2))
            as (RedisConfiguration.Endpoint, RedisConfiguration.Endpoint)
        #expect(table.primaries == [first, second])
        #expect(table.owner(of: 0) == first)
        #expect(table.owner(of: 99) == first)
        #expect(table.owner(of: 100) == nil)
        #expect(table.owner(of: 16383) == second)
        table.assign(100, to: .tcp(host: "c", port: 3))
        #expect(table.owner(of: 100) == .tcp(host: "c", port: 3))
        #expect(table.owner(of: 101) == nil)
    }

    @Test("What is no map of slots is refused")
    func noSlotTable() {
        let bad: [RESPValue] = [
            .null, .array([]), .array([.integer(1)]), .array([row(5, 4, "a", 1)]), .array([row(0, 16384, "a", 1)]),
            .array([row(-1, 4, "a", 1)]), .array([row(0, 1, "a", 0)]), .array([row(0, 1, "?", 1)]),
            .array([.array([.integer(0), .integer(1)])]),
        ]
        for reply in bad { #expect(SlotTable(reply, from: here) == nil) }
    }

    private func decide(_ outcome: Result<RESPValue, RedisError>, times: Int = 1) -> RepeatRule.Decision {
        var rule = RepeatRule()
        var generator = SystemRandomNumberGenerator()
        var decision = RepeatRule.Decision.done
        for _ in 0..<times { decision = rule.decide(outcome, asked: here, using: &generator) }
        return decision
    }

    @Test("Only what was certainly not executed is sent again")
    func repeats() {
        let unknown = [
            RedisError(.connectionClosed, "", mayHaveExecuted: true), RedisError(.timeout, "", mayHaveExecuted: true),
            RedisError(.timeout, ""), RedisError(.cancelled, ""), RedisError(.queueFull, ""),
            RedisError(.protocolViolation, ""),
        ]
        for error in unknown { #expect(decide(.failure(error)) == .done, "\(error)") }
        for reply in ["ERR no", "NOSCRIPT x", "NOREPLICAS x", "OOM x", "MOVED", "INVALID x"] {
            #expect(decide(.success(.error(reply))) == .done, "\(reply)")
        }
        #expect(decide(.success(.status("OK"))) == .done)
        for error in [RedisError(.notConnected, ""), RedisError(.connectionClosed, "")] {
            guard case .again(.owner, let pause) = decide(.failure(error)) else {
                Issue.record("\(error) is not repeated")
                continue
            }
            #expect(pause > .zero)
        }
        for word in ["TRYAGAIN", "CLUSTERDOWN", "LOADING", "READONLY", "MASTERDOWN"] {
            guard case .again(.owner, let pause) = decide(.success(.error("\(word) text"))) else {
                Issue.record("\(word) is not repeated")
                continue
            }
            #expect(pause > .zero)
        }
    }

    @Test("A redirection is followed at once, a few times; then with pauses; then no more")
    func redirectLimits() {
        let moved = Result<RESPValue, RedisError>.success(.error("MOVED 7 b:1"))
        let place = RepeatRule.Place.moved(slot: 7, to: .tcp(host: "b", port: 1))
        #expect(decide(moved) == .again(place, after: .zero))
        #expect(decide(.success(.error("ASK 7 b:1"))) == .again(.asking(.tcp(host: "b", port: 1)), after: .zero))
        guard case .again(place, let pause) = decide(moved, times: RepeatRule.immediateRedirects + 1) else {
            Issue.record("not repeated")
            return
        }
        #expect(pause > .zero)
        #expect(decide(moved, times: RepeatRule.maxAttempts) == .done)
    }
}
