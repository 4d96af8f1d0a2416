// Books in a Redis that evicts keys are no books: money would vanish without a trace. So such a Redis is refused.

import Logging
import RedisClient
import ServiceLifecycle

/// Judges Redis' memory policy.
enum EvictionPolicy {
    /// - Returns: why this Redis is refused, nil when it is fine.
    static func objection(server: String, policy: String, maxmemory: String?) -> String? {
        guard policy != "noeviction" else { return nil }
        let limit = maxmemory.map { " (maxmemory \($0))" } ?? ""
        return "Redis at \(server) may evict keys: its maxmemory-policy is \(policy)\(limit); set it to noeviction"
    }

    /// Asks every primary: CONFIG counts, INFO where CONFIG is not allowed.
    ///
    /// - Throws: ``RedisError`` when Redis can't be asked, `.failed` when it may evict.
    static func check(_ redis: RedisClient, timeout: Duration, logger: Logger) async throws {
        let settings = try await redis.sendToAll(["CONFIG", "GET", "maxmemory*"], timeout: timeout)
        let information = try await redis.sendToAll(["INFO", "memory"], timeout: timeout)
        for (server, reply) in settings {
            let text = information.first { $0.server == server }?.reply.string ?? ""
            guard let (policy, maxmemory) = policy(settings: reply.array ?? [], information: text) else {
                logger.warning(
                    "cannot tell whether redis evicts keys: neither CONFIG GET nor INFO is allowed",
                    metadata: ["server": "\(server)"])
                continue
            }
            if let objection = objection(server: "\(server)", policy: policy, maxmemory: maxmemory) {
                throw CommandError(.failed, objection)
            }
        }
    }

    /// Nil when neither tells: NOPERM of an ACL, or an unknown command where a provider has taken CONFIG away.
    private static func policy(
        settings: [RESPValue], information: String
    ) -> (policy: String, maxmemory: String?)? {
        var values: [String: String] = [:]
        for index in stride(from: 0, to: settings.count - 1, by: 2) {
            if let name = settings[index].string { values[name] = settings[index + 1].string }
        }
        if let policy = values["maxmemory-policy"] { return (policy, values["maxmemory"]) }
        let lines = information.split(whereSeparator: \.isNewline)
        func value(_ name: String) -> String? {
            lines.first { $0.hasPrefix("\(name):") }.map { String($0.dropFirst(name.count + 1)) }
        }
        return value("maxmemory_policy").map { ($0, value("maxmemory")) }
    }
}

/// Checks again where Redis could not be asked before the start: the process serves meanwhile as in any outage, and
/// ends when the Redis that appears may evict.
struct EvictionGuard: Service {
    let redis: RedisClient
    let logger: Logger

    /// One look before anything is served.
    ///
    /// - Returns: a service for later, nil when all is fine.
    /// - Throws: when this Redis may evict or its settings can't work.
    static func atStart(_ configuration: RedisConfiguration, later: RedisClient, logger: Logger) async throws -> Self? {
        let probe = RedisClient(configuration: configuration, logger: logger)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await probe.run() }
            defer { group.cancelAll() }
            do {
                try await EvictionPolicy.check(probe, timeout: .seconds(2), logger: logger)
                return nil
            } catch let error as RedisError where error.code != .configuration {
                logger.warning("redis cannot be asked yet", metadata: ["error": "\(error)"])
                return Self(redis: later, logger: logger)
            }
        }
    }

    func run() async throws {
        try await cancelWhenGracefulShutdown {
            while true {
                do {
                    try await EvictionPolicy.check(redis, timeout: .seconds(5), logger: logger)
                    // Done, but a service that ends would end its group.
                    try await Task.sleep(for: .seconds(365 * 86_400))
                } catch is RedisError {
                    try await Task.sleep(for: .seconds(2))
                }
            }
        }
    }
}
