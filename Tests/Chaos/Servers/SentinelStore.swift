// One primary, two replicas and three Sentinels that agree on it.

import Foundation
import ProcessSupport
import TestSupport

final class SentinelStore: Store {
    private static let service = "books"
    let servers: [RedisProcess]
    private let sentinels: [RedisProcess]

    var url: String {
        "redis+sentinel://" + sentinels.map { "127.0.0.1:\($0.port)" }.joined(separator: ",") + "/\(Self.service)"
    }
    var linkedPort: Int? { nil }

    static func start(_ folder: String) async throws -> SentinelStore {
        var servers: [RedisProcess] = []
        for number in 0..<3 {
            let home = try Self.home(folder, "redis-\(number)")
            let follows = servers.first.map { ["--replicaof", "127.0.0.1 \($0.port)"] } ?? []
            servers.append(
                RedisProcess(
                    port: try LoopbackPort.free(), folder: home,
                    arguments: RedisProcess.anyClient + replication + [
                        "--appendonly", "yes", "--appendfsync", "everysec",
                    ] + follows))
        }
        var sentinels: [RedisProcess] = []
        for number in 0..<3 {
            let home = try Self.home(folder, "sentinel-\(number)")
            let file = home + "/sentinel.conf"
            try """
            bind 127.0.0.1
            sentinel monitor \(service) 127.0.0.1 \(servers[0].port) 2
            sentinel down-after-milliseconds \(service) 500
            sentinel failover-timeout \(service) 3000
            sentinel parallel-syncs \(service) 2
            """.write(toFile: file, atomically: true, encoding: .utf8)
            sentinels.append(
                RedisProcess(port: try LoopbackPort.free(), folder: home, arguments: [file, "--sentinel"]))
        }
        let store = SentinelStore(servers, sentinels)
        do {
            for server in servers { try await server.start() }
            for replica in servers.dropFirst() {
                try await patiently("a replica follows") {
                    try await replica.ask("INFO", "replication").contains("master_link_status:up")
                }
            }
            for sentinel in sentinels { try await sentinel.start() }
            try await store.waitUntilWhole()
        } catch {
            await store.end()
            throw error
        }
        return store
    }

    private init(_ servers: [RedisProcess], _ sentinels: [RedisProcess]) {
        (self.servers, self.sentinels) = (servers, sentinels)
    }

    static let replication = ["--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1"]

    static func home(_ folder: String, _ name: String) throws -> String {
        let home = "\(folder)/\(name)"
        try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
        return home
    }

    func end() async {
        for process in sentinels + servers { process.end() }
    }

    /// Every Sentinel knows the others, two replicas, and a primary that lives.
    func waitUntilWhole() async throws {
        for sentinel in sentinels {
            try await patiently("the Sentinels agree on a primary with two replicas", within: .seconds(60)) {
                let words = try await sentinel.ask("SENTINEL", "MASTER", Self.service)
                    .split(separator: "\n").map(String.init)
                func value(_ name: String) -> String? {
                    words.firstIndex(of: name).flatMap { $0 + 1 < words.count ? words[$0 + 1] : nil }
                }
                return value("num-other-sentinels") == "2" && value("num-slaves") == "2" && value("flags") == "master"
            }
        }
        let primary = try await primary()
        try await patiently("both replicas follow") {
            RedisProcess.field("connected_slaves", in: try await primary.ask("INFO", "replication")) == "2"
        }
    }

    /// The primary by the first Sentinel's word.
    func primary() async throws -> RedisProcess {
        let words = try await sentinels[0].ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", Self.service)
        let port = words.split(separator: "\n").last.flatMap { Int($0) }
        guard let server = servers.first(where: { $0.port == port }) else {
            throw ChaosFailure("the Sentinels name a stranger: \(words)")
        }
        return server
    }
}
