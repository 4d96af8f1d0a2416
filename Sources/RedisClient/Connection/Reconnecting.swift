// The loop that keeps one connection up: connect, wait until it is gone, pause, again.

import Logging
import NIOCore

/// Runs until the task is cancelled; whoever cancels also closes the connection that is open then.
///
/// State changes are logged once: a failure that repeats is not news.
func reconnecting(
    _ configuration: RedisConfiguration, logger: Logger, connect: () async throws(RedisError) -> any Channel,
    reasonOfLoss: () -> RedisError?
) async {
    var backoff = Backoff(min: configuration.backoffMin, max: configuration.backoffMax)
    var generator = SystemRandomNumberGenerator()
    var lastFailure: String?
    while !Task.isCancelled {
        do throws(RedisError) {
            let channel = try await connect()
            let connectedAt = ContinuousClock.now
            lastFailure = nil
            logger.info("connected to Redis")
            try? await channel.closeFuture.get()
            guard !Task.isCancelled else { return }
            // A server that accepts and drops at once must not be hammered: only a connection that held starts afresh.
            if ContinuousClock.now - connectedAt > configuration.backoffMax { backoff.reset() }
            let reason = reasonOfLoss().map { "\($0)" } ?? "unknown"
            logger.warning("connection to Redis lost", metadata: ["reason": "\(reason)"])
        } catch {
            let failure = "\(error)"
            let level: Logger.Level = failure == lastFailure ? .debug : .warning
            lastFailure = failure
            logger.log(level: level, "can't connect to Redis", metadata: ["reason": "\(failure)"])
        }
        try? await Task.sleep(for: backoff.next(using: &generator))
    }
}
