// How many commands clients send to Redis. Its own counters also count what scripts call, so only commands that no
// script can issue are added up: those that start a script, and those that a connection sends for itself.

import Logging
import QuotaCore
import RedisClient

/// Counts commands from `INFO commandstats`.
struct RedisCommandCount: Sendable {
    /// Redis refuses these inside scripts (its flag `noscript`). The set-up of a connection (AUTH, HELLO, SELECT,
    /// CLIENT), PING, INFO and replication are no work for a decision and left out.
    private static let counted: Set<String> = [
        "eval", "eval_ro", "evalsha", "evalsha_ro", "fcall", "fcall_ro", "script|load", "function|load", "wait",
        "waitaof", "multi", "exec", "discard", "watch", "unwatch", "subscribe", "unsubscribe", "psubscribe",
        "punsubscribe", "ssubscribe", "sunsubscribe",
    ]

    let url: String

    /// The sum over all primaries since they started, or since its statistics were reset.
    ///
    /// - Throws: ``LoadError/Code/redis``.
    func read() async throws(LoadError) -> Int64 {
        do {
            var configuration = try RedisConfiguration(url: url)
            configuration.commandTimeout = .seconds(5)
            let client = RedisClient(
                configuration: configuration, logger: Logger(label: "load") { _ in SwiftLogNoOpLogHandler() })
            let replies = try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await client.run() }
                defer { group.cancelAll() }
                return try await client.sendToAll(["INFO", "commandstats"])
            }
            var sum: Int64 = 0
            for (server, reply) in replies {
                guard let text = reply.string else {
                    throw LoadError(.redis, "INFO commandstats of \(server) is not a text")
                }
                sum += Self.sum(text)
            }
            return sum
        } catch let error as LoadError {
            throw error
        } catch {
            throw LoadError(.redis, "the commands of Redis can't be counted", cause: error)
        }
    }

    /// The sum of lines such as `cmdstat_evalsha:calls=12,usec=...`.
    static func sum(_ text: String) -> Int64 {
        var sum: Int64 = 0
        for line in text.split(whereSeparator: \.isNewline) {
            guard line.hasPrefix("cmdstat_"), let colon = line.firstIndex(of: ":"),
                counted.contains(String(line[..<colon].dropFirst("cmdstat_".count))),
                let calls = line[colon...].firstRange(of: "calls=")
            else { continue }
            sum += Int64(line[calls.upperBound...].prefix { $0.isNumber }) ?? 0
        }
        return sum
    }
}
