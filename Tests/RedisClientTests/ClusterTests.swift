// A client of a real cluster: spread, moving slots, failover.

import Synchronization
import Testing
import TopologySupport

@testable import RedisClient

@Suite("Cluster", .serialized, .timeLimit(.minutes(3)))
struct ClusterTests {
    @Test("Scripts of many organisations spread evenly over the primaries, and no replica gets one")
    func spread() async throws {
        let cluster = try await TestCluster.start()
        try await withClient(cluster.url) { client async throws in
            let organisations = (0..<600).map { "bursar:{org-\($0)}:meta" }
            var expected = [0, 0, 0]
            try await withThrowingTaskGroup(of: Void.self) { group in
                for key in organisations {
                    expected[cluster.primary(of: HashSlot.of(key))] += 5
                    group.addTask {
                        for round in 0..<5 {
                            let reply = try await client.eval(Load.echo, keys: [key], arguments: ["\(key)\(round)"])
                            #expect(reply.string == "\(key)\(round)")
                        }
                    }
                }
                try await group.waitForAll()
            }
            for (index, node) in cluster.primaries.enumerated() {
                // Calls are counted whether the script was known or not: each that was not came again with its source.
                let calls = try await scriptCalls(node)
                #expect(calls.done == expected[index])
                #expect(abs(Double(calls.done) - 1000) < 150)
            }
            for node in cluster.replicas { #expect(try await scriptCalls(node).all == 0) }
            #expect(client.statistics.redirects == 0)
            #expect(try await client.sendToAll(["PING"]).count == 3)
        }
    }

    /// Calls of EVALSHA and EVAL, and those of them that ran.
    private func scriptCalls(_ node: LoopbackServer) async throws -> (all: Int, done: Int) {
        let text = try await ask(node, "INFO", "commandstats").string ?? ""
        var (all, failed) = (0, 0)
        for line in text.split(whereSeparator: \.isNewline)
        where line.hasPrefix("cmdstat_evalsha:") || line.hasPrefix("cmdstat_eval:") {
            func field(_ name: String) -> Int {
                line.firstRange(of: "\(name)=").map { Int(line[$0.upperBound...].prefix { $0.isNumber }) ?? 0 } ?? 0
            }
            all += field("calls")
            failed += field("failed_calls")
        }
        return (all, all - failed)
    }

    @Test("A slot that moves under load is followed by ASK and MOVED: no command is lost, doubled or mixed up")
    func migration() async throws {
        let cluster = try await TestCluster.start()
        let key = "{moving}"
        let slot = HashSlot.of(key)
        let (source, target) = (
            cluster.primaries[cluster.primary(of: slot)], cluster.primaries[(cluster.primary(of: slot) + 1) % 3]
        )
        try await withClient(cluster.url) { client async throws in
            let load = Load()
            try await load.run(client, keys: [key, "{resting}"], workers: 16) {
                try await load.answers(more: 500)
                try await cluster.begin(slot, from: source, to: target)
                try await cluster.moveKeys(slot, from: source, to: target)
                let before = client.statistics.redirects
                try await load.answers(more: 500)
                #expect(client.statistics.redirects > before + 10, "ASK was followed")
                try await cluster.end(slot, at: target)
                try await load.answers(more: 500)
            }
            let counts = load.counts.withLock { $0 }
            #expect(counts.misattributed == 0)
            #expect(counts.repeatedNumbers == 0)
            #expect(counts.unexpected.map(\.description) == [])
            #expect(counts.failed == 0)
            #expect(try await client.send(["GET", key + ":commands"]).int == Int64(counts.numbers[key]?.count ?? 0))
            #expect(try await ask(target, "CLUSTER", "COUNTKEYSINSLOT", "\(slot)").int == 2)
            // Once more, now without ASK: only MOVED.
            let settled = client.statistics.redirects
            for _ in 0..<20 { _ = try await client.send(["GET", key + ":commands"]) }
            #expect(client.statistics.redirects == settled)
        }
    }

    @Test("A script that names a key which never exists runs nowhere while its slot moves, and then in the new place")
    func guardedScript() async throws {
        let cluster = try await TestCluster.start()
        let slot = HashSlot.of("{moving}")
        let (source, target) = (
            cluster.primaries[cluster.primary(of: slot)], cluster.primaries[(cluster.primary(of: slot) + 1) % 3]
        )
        let keys = ["{moving}meta", "{moving}never"]
        // It touches more keys than it names.
        let script = RedisScript(
            name: "two", source: "redis.call('INCR', '{moving}other') return redis.call('INCR', KEYS[1])")
        try await withClient(cluster.url) { client async throws in
            #expect(try await client.eval(script, keys: keys, arguments: []).int == 1)
            try await cluster.begin(slot, from: source, to: target)
            for step in 0..<2 {
                let error = await failure { () throws(RedisError) in
                    try await client.eval(script, keys: keys, arguments: [], timeout: .milliseconds(300))
                }
                #expect(error?.serverCode == "TRYAGAIN" || error?.serverCode == "ASK", "\(String(describing: error))")
                if step == 0 { try await cluster.moveKeys(slot, from: source, to: target) }
            }
            async let waiting = client.eval(script, keys: keys, arguments: [])
            try await cluster.end(slot, at: target)
            #expect(try await waiting.int == 2)
            #expect(try await client.send(["GET", "{moving}other"]).int == 2)
        }
    }

    @Test("A primary killed under load: its replica takes over, the client goes on, its subscription too")
    func failover() async throws {
        let cluster = try await TestCluster.start()
        let channel = "bursar:{org-1}:news"
        let victim = cluster.primary(of: HashSlot.of(channel))
        let keys = (0..<12).map { "{org-\($0)}" }
        try await withClient(cluster.url, configure: { $0.commandTimeout = .seconds(2) }) { client async throws in
            let load = Load()
            let heard = Hearing(client, channel: channel)
            try await heard.waits(on: client)
            try await load.run(client, keys: keys, workers: 48) {
                try await load.answers(more: 2000)
                cluster.primaries[victim].kill()
                try await patiently("the replica is primary") {
                    try await ask(cluster.replicas[victim], "ROLE").array?.first?.string == "master"
                }
                try await load.answers(more: 4000)
            }
            for key in keys { #expect(try await client.send(["INCR", "\(key):commands"]).int ?? 0 > 0) }
            try await heard.waits(on: client)
            heard.stop()
            let counts = load.counts.withLock { $0 }
            #expect(counts.misattributed == 0)
            #expect(counts.unexpected.map(\.description) == [])
            #expect(try await client.sendToAll(["ROLE"]).allSatisfy { $0.reply.array?.first?.string == "master" })
        }
    }
}
