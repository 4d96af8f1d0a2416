// Redis dies, with and without its last writes, and Redis that answers nobody for a while.

import TestSupport

extension Fault {
    static let servers = [
        // As when its machine loses power: what was not yet written through is gone, at most the last second.
        Fault(name: "redis-everysec", store: .single(fsync: "everysec")) { stack, _, chance in
            let store = try stack.store(as: SingleStore.self)
            let loss = Int.random(in: 200...1000, using: &chance)
            let bytes = try await store.crash(losing: .milliseconds(loss))
            let time = try await pause(100...1000, using: &chance)
            try await store.redis.start()
            return "killed Redis, cut \(bytes) bytes of its last \(loss) ms, started again after \(time)"
        },
        Fault(name: "redis-always", store: .single(fsync: "always")) { stack, _, chance in
            let store = try stack.store(as: SingleStore.self)
            try await store.kill()
            let time = try await pause(100...2000, using: &chance)
            try await store.redis.start()
            return "killed Redis, started again after \(time)"
        },
        Fault(name: "busy-redis", store: .single(fsync: "everysec")) { stack, _, chance in
            let redis = try stack.store(as: SingleStore.self).redis
            let time = Int.random(in: 800...3500, using: &chance)
            if Bool.random(using: &chance) {
                // It answers only when it is over.
                try await redis.order("DEBUG", "SLEEP", "\(Double(time) / 1000)")
                return "kept Redis busy for \(time) ms"
            }
            try await redis.order("CLIENT", "PAUSE", "\(time)", "ALL")
            try await Task.sleep(for: .milliseconds(time))
            return "paused all clients of Redis for \(time) ms"
        },
    ]

    static let disks = [disk("full-disk", fsync: "everysec"), disk("full-disk-always", fsync: "always")]

    /// With `always` Redis ends when it can't write, and is started again when there is room.
    private static func disk(_ name: String, fsync: String) -> Fault {
        Fault(name: name, store: .smallDisk(fsync: fsync)) { stack, _, chance in
            let store = try stack.store(as: SingleStore.self)
            guard let disk = store.disk else { throw ChaosFailure("there is no small disk") }
            try await disk.fill(store.redis)
            let time: String
            do {
                time = try await pause(1500...4000, using: &chance)
            } catch {
                try await disk.free(store.redis)
                throw error
            }
            let survived = store.redis.isRunning
            try await disk.free(store.redis)
            if !survived { try await store.redis.start() }
            return "filled the disk for \(time)" + (survived ? "" : ", Redis ended and was started again")
        }
    }
}
