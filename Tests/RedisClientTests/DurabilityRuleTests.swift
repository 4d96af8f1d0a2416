// What is asked behind a durable write, and what the answers of servers old and new mean.

import Testing

@testable import RedisClient

@Suite("The check of durability")
struct DurabilityRuleTests {
    private let settings = ["CONFIG", "GET", "*append*"]
    private let always = RESPValue.array([
        .status("appendonly"), .status("yes"), .status("appendfsync"), .status("always"),
        .status("no-appendfsync-on-rewrite"), .status("no"),
    ])

    @Test("A server that knows WAITAOF is asked whether its own file has the write, whatever its settings")
    func knowsWaitAOF() {
        let check = DurabilityCheck(durability: .disk(within: .milliseconds(250)), asksForAOF: true)
        #expect(check.commands == [["WAITAOF", "1", "0", "250"], settings])
        #expect(check.objection([.array([.integer(1), .integer(0)]), .array([])]) == nil)
        #expect(check.objection([.array([.integer(0), .integer(1)]), always])?.contains("not synced in time") == true)
        let off = RESPValue.error("ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.")
        #expect(check.objection([off, always]) != nil)
        #expect(!check.learnsOfNoAOF([off, always]))
    }

    @Test("A server without WAITAOF is judged by its settings, and not asked again")
    func lacksWaitAOF() {
        let unknown = RESPValue.error("ERR unknown command 'WAITAOF', with args beginning with: '1' ")
        let first = DurabilityCheck(durability: .disk(within: .seconds(1)), asksForAOF: true)
        #expect(first.learnsOfNoAOF([unknown, always]))
        #expect(first.objection([unknown, always]) == nil)
        let next = DurabilityCheck(durability: .disk(within: .seconds(1)), asksForAOF: false)
        #expect(next.commands == [settings])
        #expect(next.objection([always]) == nil)
        #expect(next.objection([.error("NOPERM this user has no permissions")]) != nil)
        #expect(next.objection([]) != nil)
    }

    @Test("Replicas are waited for at least a millisecond, since 0 would be for ever")
    func replicas() {
        let check = DurabilityCheck(durability: .replicas(2, within: .zero), asksForAOF: true)
        #expect(check.commands == [["WAIT", "2", "1"]])
        #expect(check.objection([.integer(2)]) == nil)
        #expect(check.objection([.integer(1)])?.contains("1 of 2") == true)
        #expect(check.objection([.error("ERR WAIT cannot be used with replica instances.")]) != nil)
    }
}
