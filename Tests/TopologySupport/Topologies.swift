// Real arrangements of servers on loopback: replicas, Sentinels, a cluster. All end with the test.

import Foundation
import RedisClient

/// One command to one server, on a connection of its own.
@discardableResult
package func ask(_ server: LoopbackServer, _ words: String...) async throws -> RESPValue {
    try await withClient(server.url) { client async throws in try await client.send(words) }
}

/// What did not come to pass in time.
package struct Impatience: Error, CustomStringConvertible {
    package let description: String
}

/// Waits until `condition` holds, at most half a minute. Failures to ask count as no.
///
/// - Throws: ``Impatience``, named `what`.
package func patiently(_ what: String, _ condition: () async throws -> Bool) async throws {
    for _ in 0..<600 {
        if (try? await condition()) == true { return }
        try await Task.sleep(for: .milliseconds(50))
    }
    throw Impatience(description: "not in half a minute: \(what)")
}

private let replication = ["--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1"]
private let tcp = ["--port", "{port}", "--bind", "127.0.0.1"]

/// A replica of `primary` that has all its data.
package func startedReplica(of primary: LoopbackServer) async throws -> LoopbackServer {
    let replica = try startedServer(tcp + replication + ["--replicaof", "127.0.0.1 \(primary.port)"])
    try await patiently("the replica follows") {
        try await ask(replica, "INFO", "replication").string?.contains("master_link_status:up") == true
    }
    return replica
}

/// A server that others can follow.
package func startedPrimary(_ arguments: [String] = []) throws -> LoopbackServer {
    try startedServer(tcp + replication + arguments)
}

/// One primary, two replicas, three Sentinels that agree.
package struct SentinelSet {
    package static let service = "books"
    package let primary: LoopbackServer
    package let replicas: [LoopbackServer]
    package let sentinels: [LoopbackServer]

    package var url: String {
        "redis+sentinel://" + sentinels.map { "127.0.0.1:\($0.port)" }.joined(separator: ",") + "/\(Self.service)"
    }

    package static func start() async throws -> SentinelSet {
        let primary = try startedPrimary()
        try await patiently("the primary answers") { try await ask(primary, "PING") == .status("PONG") }
        let replicas = [try await startedReplica(of: primary), try await startedReplica(of: primary)]
        let sentinels = try (0..<3).map { _ in
            try LoopbackServer(sentinel: [
                "sentinel monitor \(service) 127.0.0.1 \(primary.port) 2",
                "sentinel down-after-milliseconds \(service) 500", "sentinel failover-timeout \(service) 3000",
                "sentinel parallel-syncs \(service) 2",
            ])
        }
        for sentinel in sentinels { try sentinel.start() }
        let set = SentinelSet(primary: primary, replicas: replicas, sentinels: sentinels)
        for sentinel in sentinels {
            try await patiently("the Sentinels know each other and the replicas") {
                let state = try await ask(sentinel, "SENTINEL", "MASTER", service).array?.compactMap(\.string) ?? []
                func value(_ name: String) -> String? { state.firstIndex(of: name).map { state[$0 + 1] } }
                return value("num-other-sentinels") == "2" && value("num-slaves") == "2" && value("flags") == "master"
            }
        }
        return set
    }

    /// The port of the primary by one Sentinel's word.
    package func announcedPort(by sentinel: LoopbackServer) async throws -> Int? {
        let address = try await ask(sentinel, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", Self.service).array
        return address?.last?.int.map { Int($0) }
    }
}

/// Three primaries, a replica for each, all slots owned.
package struct TestCluster {
    package static let ranges = [0...5460, 5461...10922, 10923...16383]
    package let primaries: [LoopbackServer]
    package let replicas: [LoopbackServer]

    /// One node is enough to find the others.
    package var url: String { "redis+cluster://127.0.0.1:\(primaries[0].port)" }

    /// - Parameter replicated: false for primaries alone, which are there sooner.
    package static func start(replicated: Bool = true) async throws -> TestCluster {
        let options =
            tcp + replication + [
                "--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf", "--cluster-node-timeout", "1500",
                "--cluster-port", "{bus}",
            ]
        let nodes = try (0..<(replicated ? 6 : 3)).map { _ in try startedServer(options) }
        let cluster = TestCluster(primaries: Array(nodes[..<3]), replicas: Array(nodes[3...]))
        for (index, node) in nodes.enumerated() {
            try await patiently("the node answers") { try await ask(node, "PING") == .status("PONG") }
            try await ask(node, "CLUSTER", "SET-CONFIG-EPOCH", "\(index + 1)")
            guard index < 3 else { continue }
            let range = ranges[index]
            try await ask(node, "CLUSTER", "ADDSLOTSRANGE", "\(range.lowerBound)", "\(range.upperBound)")
        }
        for node in nodes[1...] {
            let bus = try await ask(node, "CONFIG", "GET", "cluster-port").array?.last?.string ?? ""
            try await ask(nodes[0], "CLUSTER", "MEET", "127.0.0.1", "\(node.port)", bus)
        }
        for node in nodes {
            try await patiently("the nodes know each other") {
                try await ask(node, "CLUSTER", "INFO").string?.contains("cluster_known_nodes:\(nodes.count)") == true
            }
        }
        for (replica, primary) in zip(cluster.replicas, cluster.primaries) {
            let id = try await cluster.id(of: primary)
            try await patiently("the replica takes its place") {
                try await ask(replica, "CLUSTER", "REPLICATE", id) == .status("OK")
            }
        }
        for (index, node) in nodes.enumerated() {
            try await patiently("the cluster is whole") {
                let isWhole = try await ask(node, "CLUSTER", "INFO").string?.contains("cluster_state:ok") == true
                guard replicated else { return isWhole }
                let replication = try await ask(node, "INFO", "replication").string ?? ""
                return isWhole && replication.contains(index < 3 ? "connected_slaves:1" : "master_link_status:up")
            }
        }
        return cluster
    }

    package func id(of node: LoopbackServer) async throws -> String {
        try await ask(node, "CLUSTER", "MYID").string ?? ""
    }

    package func slot(ofKey key: String) async throws -> Int {
        Int(try await ask(primaries[0], "CLUSTER", "KEYSLOT", key).int ?? 0)
    }

    /// The primary that has a slot at the start.
    package func primary(of slot: Int) -> Int {
        Self.ranges.firstIndex { $0.contains(slot) } ?? 0
    }
}

// Moving a slot, as `redis-cli --cluster reshard` does it.
extension TestCluster {
    package func begin(_ slot: Int, from source: LoopbackServer, to target: LoopbackServer) async throws {
        try await ask(target, "CLUSTER", "SETSLOT", "\(slot)", "IMPORTING", id(of: source))
        try await ask(source, "CLUSTER", "SETSLOT", "\(slot)", "MIGRATING", id(of: target))
    }

    package func moveKeys(_ slot: Int, from source: LoopbackServer, to target: LoopbackServer) async throws {
        while let keys = try await ask(source, "CLUSTER", "GETKEYSINSLOT", "\(slot)", "10").array?.compactMap(\.string),
            !keys.isEmpty
        {
            for key in keys { try await ask(source, "MIGRATE", "127.0.0.1", "\(target.port)", key, "0", "5000") }
        }
    }

    package func end(_ slot: Int, at target: LoopbackServer) async throws {
        let id = try await id(of: target)
        try await ask(target, "CLUSTER", "SETSLOT", "\(slot)", "NODE", id)
        for node in primaries { try await ask(node, "CLUSTER", "SETSLOT", "\(slot)", "NODE", id) }
    }
}
