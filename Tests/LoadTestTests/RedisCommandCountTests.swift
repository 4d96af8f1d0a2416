// Only what clients send counts: a script is one command, however many it calls.

import Logging
import RedisClient
import TestSupport
import Testing
import TopologySupport

@testable import LoadTest

@Suite struct RedisCommandCountTests {
    @Test("commands that scripts call are not counted, nor connections, pings and the reader itself")
    func sum() {
        let text = """
            # Commandstats
            cmdstat_evalsha:calls=12,usec=900,usec_per_call=75.00,rejected_calls=0,failed_calls=0
            cmdstat_eval:calls=3,usec=9,usec_per_call=3.00,rejected_calls=0,failed_calls=0
            cmdstat_script|load:calls=2,usec=9,usec_per_call=3.00,rejected_calls=0,failed_calls=0
            cmdstat_subscribe:calls=1,usec=9,usec_per_call=3.00,rejected_calls=0,failed_calls=0
            cmdstat_hset:calls=1000,usec=9,usec_per_call=3.00,rejected_calls=0,failed_calls=0
            cmdstat_ping:calls=50,usec=9,usec_per_call=3.00,rejected_calls=0,failed_calls=0
            cmdstat_client|setname:calls=7,usec=9,usec_per_call=3.00,rejected_calls=0,failed_calls=0
            cmdstat_info:calls=4,usec=9,usec_per_call=3.00,rejected_calls=0,failed_calls=0
            """
        #expect(RedisCommandCount.sum(text.replacing("\n", with: "\r\n")) == 18)
    }

    @Test("a real Redis counts a script with two calls as one command")
    func realRedis() async throws {
        try await withRedis { server in
            let count = RedisCommandCount(url: server.url)
            let before = try await count.read()
            let client = try RedisClient(
                configuration: RedisConfiguration(url: count.url),
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await client.run() }
                defer { group.cancelAll() }
                for _ in 0..<5 {
                    let script = "redis.call('SET', KEYS[1], 1) redis.call('INCR', KEYS[1]) return 1"
                    _ = try await client.send(["EVAL", script, "1", "key"])
                }
            }
            #expect(try await count.read() - before == 5)
        }
    }

    @Test("in a cluster the commands of all primaries count")
    func cluster() async throws {
        let cluster = try await TestCluster.start(replicated: false)
        let count = RedisCommandCount(url: cluster.url)
        let before = try await count.read()
        var shards: Set<Int> = []
        try await withClient(cluster.url) { client async throws in
            for key in ["a", "b", "c", "d", "e", "f"] {
                shards.insert(cluster.primary(of: try await cluster.slot(ofKey: key)))
                _ = try await client.send(["EVAL", "return redis.call('INCR', KEYS[1])", "1", key])
            }
        }
        #expect(shards.count == 3)
        #expect(try await count.read() - before == 6)
    }
}
