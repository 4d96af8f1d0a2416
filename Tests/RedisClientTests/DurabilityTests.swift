// Scripts whose effects must reach replicas or the disk before they count.

import RedisClient
import Testing
import TopologySupport

@Suite("Durability", .serialized, .timeLimit(.minutes(1)))
struct DurabilityTests {
    private let increment = RedisScript(name: "increment", source: "return redis.call('INCR', KEYS[1])")
    private let read = RedisScript(name: "read", source: "return redis.call('GET', KEYS[1])")

    @Test("A script counts when the replica has acknowledged it; a paused replica is an error in bounded time")
    func replicas() async throws {
        let primary = try startedPrimary()
        try await patiently("the primary answers") { try await ask(primary, "PING") == .status("PONG") }
        let replica = try await startedReplica(of: primary)
        try await withClient(primary.url) { client async throws in
            let one = RedisDurability.replicas(1, within: .seconds(5))
            let shortly = RedisDurability.replicas(1, within: .milliseconds(200))
            let two = RedisDurability.replicas(2, within: .milliseconds(100))
            #expect(try await client.eval(increment, keys: ["n"], arguments: [], durability: one).int == 1)
            #expect(try await ask(replica, "GET", "n").int == 1)
            let tooFew = await failure { () throws(RedisError) in
                try await client.eval(increment, keys: ["n"], arguments: [], durability: two)
            }
            #expect(tooFew?.code == .notDurable)

            replica.freeze()
            async let late = failure { () throws(RedisError) in
                try await client.eval(increment, keys: ["n"], arguments: [], durability: shortly)
            }
            // Who does not wait is not kept waiting.
            #expect(try await client.send(["PING"], timeout: .milliseconds(150)) == .status("PONG"))
            let error = await late
            #expect(error?.code == .notDurable)
            #expect(error?.mayHaveExecuted == true)
            #expect(error?.message.contains("0 of 1 replicas") == true)
            #expect(try await client.send(["GET", "n"]).int == 3)
            // A repeat that writes nothing does not make the lost write count.
            let repeated = await failure { () throws(RedisError) in
                try await client.eval(read, keys: ["n"], arguments: [], durability: shortly)
            }
            #expect(repeated?.code == .notDurable)
            replica.thaw()
            #expect(try await client.eval(read, keys: ["n"], arguments: [], durability: one).int == 3)
            #expect(try await ask(replica, "GET", "n").int == 3)
        }
    }

    @Test("Disk durability needs an append-only file that is synced before every reply")
    func disk() async throws {
        let always = ["--appendonly", "yes", "--appendfsync", "always"]
        let cases: [([String], String?)] = [
            (always, nil), ([], "appendonly is no"), (["--appendonly", "yes"], "appendfsync is everysec"),
            (always + ["--no-appendfsync-on-rewrite", "yes"], "no-appendfsync-on-rewrite is yes"),
        ]
        for (arguments, reason) in cases {
            let server = try startedServer(arguments)
            try await withClient(server.url) { client async throws in
                // Twice: the second time it is known whether the server has WAITAOF.
                for _ in 0..<2 {
                    let error = await failure { () throws(RedisError) in
                        try await client.eval(
                            increment, keys: ["n"], arguments: [], durability: .disk(within: .seconds(1)))
                    }
                    #expect(error?.code == (reason == nil ? nil : .notDurable))
                    if let reason { #expect(error?.message.contains(reason) == true, "\(error?.message ?? "")") }
                }
                #expect(try await client.send(["GET", "n"]).int == 2)
            }
        }
    }

    @Test("A script's own error is the caller's, and the connection stays in step")
    func errors() async throws {
        let server = try startedServer()
        let broken = RedisScript(name: "broken", source: "return redis.error_reply('INVALID /x is wrong')")
        try await withClient(server.url) { client async throws in
            for _ in 0..<3 {
                let error = await failure { () throws(RedisError) in
                    try await client.eval(
                        broken, keys: ["n"], arguments: [], durability: .replicas(1, within: .milliseconds(1)))
                }
                #expect(error?.serverCode == "INVALID")
            }
            #expect(
                try await client.eval(
                    increment, keys: ["n"], arguments: [], durability: .replicas(0, within: .milliseconds(10))
                ).int == 1)
        }
    }
}
