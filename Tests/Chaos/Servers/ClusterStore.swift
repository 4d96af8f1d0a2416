// Three primaries with a replica each, all slots owned, and how a slot moves from one primary to another.

import Foundation
import ProcessSupport
import TestSupport

final class ClusterStore: Store {
    /// The slot in which the books of the organisation `default` are.
    private static let key = "bursar:{default}:meta"
    let nodes: [RedisProcess]

    var url: String { "redis+cluster://" + nodes.prefix(3).map { "127.0.0.1:\($0.port)" }.joined(separator: ",") }
    var linkedPort: Int? { nil }

    private init(_ nodes: [RedisProcess]) { self.nodes = nodes }

    static func start(_ folder: String) async throws -> ClusterStore {
        var nodes: [RedisProcess] = []
        var buses: [Int] = []
        for number in 0..<6 {
            let home = try SentinelStore.home(folder, "node-\(number)")
            buses.append(try LoopbackPort.free())
            nodes.append(
                RedisProcess(
                    port: try LoopbackPort.free(), folder: home,
                    arguments: RedisProcess.anyClient + SentinelStore.replication + [
                        "--appendonly", "yes", "--appendfsync", "everysec", "--cluster-enabled", "yes",
                        "--cluster-config-file", "nodes.conf", "--cluster-node-timeout", "1500",
                        "--cluster-port", "\(buses[number])",
                    ]))
        }
        let store = ClusterStore(nodes)
        do {
            try await store.form(buses)
        } catch {
            await store.end()
            throw error
        }
        return store
    }

    private func form(_ buses: [Int]) async throws {
        let ranges = ["0 5460", "5461 10922", "10923 16383"].map { $0.split(separator: " ").map(String.init) }
        for (number, node) in nodes.enumerated() {
            try await node.start()
            try await node.order("CLUSTER", "SET-CONFIG-EPOCH", "\(number + 1)")
            if number < 3 { try await node.order("CLUSTER", "ADDSLOTSRANGE", ranges[number][0], ranges[number][1]) }
        }
        for (node, bus) in zip(nodes, buses).dropFirst() {
            try await nodes[0].order("CLUSTER", "MEET", "127.0.0.1", "\(node.port)", "\(bus)")
        }
        for node in nodes {
            try await patiently("the nodes know each other") {
                RedisProcess.field("cluster_known_nodes", in: try await node.ask("CLUSTER", "INFO")) == "6"
            }
        }
        for (replica, primary) in zip(nodes.dropFirst(3), nodes) {
            let id = try await primary.ask("CLUSTER", "MYID")
            try await patiently("a replica takes its place") {
                try await replica.ask("CLUSTER", "REPLICATE", id) == "OK"
            }
        }
        try await waitUntilWhole()
    }

    /// All six live, three are primaries, and each of those has its replica.
    func waitUntilWhole() async throws {
        try await patiently("the cluster is whole", within: .seconds(60)) {
            var primaries = 0
            for node in self.nodes {
                let state = RedisProcess.field("cluster_state", in: try await node.ask("CLUSTER", "INFO"))
                guard state == "ok" else { return false }
                let replication = try await node.ask("INFO", "replication")
                if RedisProcess.field("role", in: replication) == "master" {
                    primaries += 1
                    guard RedisProcess.field("connected_slaves", in: replication) == "1" else { return false }
                } else if RedisProcess.field("master_link_status", in: replication) != "up" {
                    return false
                }
            }
            return primaries == 3
        }
    }

    func end() async {
        for node in nodes { node.end() }
    }

    /// The primaries, the one with the organisation's books first.
    func primaries() async throws -> [RedisProcess] {
        let slot = try await slot()
        var owners: [RedisProcess] = []
        var others: [RedisProcess] = []
        for node in nodes where node.isRunning {
            let replication = try await node.ask("INFO", "replication")
            guard RedisProcess.field("role", in: replication) == "master" else { continue }
            // An owner alone counts the keys of a slot; a DUMP elsewhere is a redirection.
            let answer = try await node.ask("EXISTS", Self.key)
            if answer.contains("MOVED") { others.append(node) } else { owners.append(node) }
        }
        guard owners.count == 1 else { throw ChaosFailure("slot \(slot) has \(owners.count) owners") }
        return owners + others
    }

    /// The replica of a primary.
    func replica(of primary: RedisProcess) async throws -> RedisProcess {
        for node in nodes where node !== primary && node.isRunning {
            let replication = try await node.ask("INFO", "replication")
            if RedisProcess.field("master_port", in: replication) == "\(primary.port)" { return node }
        }
        throw ChaosFailure("the primary on port \(primary.port) has no replica")
    }

    private func slot() async throws -> String { try await nodes[0].ask("CLUSTER", "KEYSLOT", Self.key) }

    /// Moves the organisation's slot, key by key, as `redis-cli --cluster reshard` does.
    ///
    /// - Returns: how many keys went.
    func moveSlot(from source: RedisProcess, to target: RedisProcess) async throws -> Int {
        let slot = try await slot()
        let (sourceID, targetID) = (try await source.ask("CLUSTER", "MYID"), try await target.ask("CLUSTER", "MYID"))
        try await target.order("CLUSTER", "SETSLOT", slot, "IMPORTING", sourceID)
        try await source.order("CLUSTER", "SETSLOT", slot, "MIGRATING", targetID)
        var moved = 0
        while true {
            let keys = try await source.ask("CLUSTER", "GETKEYSINSLOT", slot, "20").split(separator: "\n")
                .map(String.init).filter { !$0.isEmpty }
            guard !keys.isEmpty else { break }
            let answer = try await source.ask(
                ["MIGRATE", "127.0.0.1", "\(target.port)", "", "0", "5000", "KEYS"] + keys)
            guard answer == "OK" || answer == "NOKEY" else { throw ChaosFailure("MIGRATE: \(answer)") }
            moved += keys.count
        }
        try await target.order("CLUSTER", "SETSLOT", slot, "NODE", targetID)
        try await source.order("CLUSTER", "SETSLOT", slot, "NODE", targetID)
        for node in nodes where node !== source && node !== target {
            // Replicas refuse; they learn it from their primary.
            try await node.ask("CLUSTER", "SETSLOT", slot, "NODE", targetID)
        }
        return moved
    }
}
