// Another server takes over: Sentinels choose a new primary, a cluster does, the slot of the books moves under load.

import TestSupport

extension Fault {
    static let topologies = [
        Fault(name: "sentinel-failover", store: .sentinel) { stack, _, _ in
            let store = try stack.store(as: SentinelStore.self)
            let old = try await store.primary()
            let start = ContinuousClock.now
            try await old.kill()
            try await patiently("the Sentinels choose another primary") { try await store.primary() !== old }
            let time = ContinuousClock.now - start
            try await old.start()
            try await store.waitUntilWhole()
            return "killed the primary, another was named after \(time.milliseconds) ms"
        },
        Fault(name: "cluster-failover", store: .cluster) { stack, _, chance in
            let store = try stack.store(as: ClusterStore.self)
            let owner = try await store.primaries()[0]
            if Bool.random(using: &chance) {
                try await store.replica(of: owner).order("CLUSTER", "FAILOVER")
                try await patiently("the replica takes over") { try await store.primaries()[0] !== owner }
                try await store.waitUntilWhole()
                return "asked the replica to take over"
            }
            let replica = try await store.replica(of: owner)
            let start = ContinuousClock.now
            try await owner.kill()
            try await patiently("the replica takes over") {
                try await replica.ask("INFO", "replication").contains("role:master")
            }
            let time = ContinuousClock.now - start
            try await owner.start()
            try await store.waitUntilWhole()
            return "killed the primary, its replica took over after \(time.milliseconds) ms"
        },
        Fault(name: "slot-migration", store: .cluster) { stack, _, chance in
            let store = try stack.store(as: ClusterStore.self)
            let primaries = try await store.primaries()
            let target = primaries[Int.random(in: 1..<primaries.count, using: &chance)]
            let start = ContinuousClock.now
            let keys = try await store.moveSlot(from: primaries[0], to: target)
            return "moved \(keys) keys to another primary in \((ContinuousClock.now - start).milliseconds) ms"
        },
    ]
}

extension Duration {
    var milliseconds: Int { Int(components.seconds) * 1000 + Int(components.attoseconds / 1_000_000_000_000_000) }
}
