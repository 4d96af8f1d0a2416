// Hands new subscriptions to the running client, and ends all of them with it.

import Synchronization

final class SubscriptionRegistry: Sendable {
    /// Subscriptions that nobody runs yet; iterated once, by the running client.
    let requests: AsyncStream<Subscription>
    private let newRequests: AsyncStream<Subscription>.Continuation
    /// nil when the client has stopped.
    private let open = Mutex<[ObjectIdentifier: Subscription]?>([:])

    init() {
        (requests, newRequests) = AsyncStream.makeStream()
    }

    func make(_ channels: [String], configuration: RedisConfiguration) -> AsyncStream<RedisPush> {
        let (stream, output) = AsyncStream.makeStream(
            of: RedisPush.self, bufferingPolicy: .bufferingNewest(Subscription.bufferedPushes))
        let subscription = Subscription(
            channels: channels, heartbeat: configuration.stallTimeout, output: output)
        output.onTermination = { [weak self] _ in
            subscription.end()
            self?.open.withLock { $0?[ObjectIdentifier(subscription)] = nil }
        }
        let isAccepted = open.withLock { open in
            guard open != nil else { return false }
            open?[ObjectIdentifier(subscription)] = subscription
            return true
        }
        if isAccepted { newRequests.yield(subscription) } else { output.finish() }
        return stream
    }

    /// Closes the connections to such servers; the subscriptions go on elsewhere.
    func leave(_ isUseless: (RedisConfiguration.Endpoint) -> Bool) {
        let all = open.withLock { $0 ?? [:] }
        for subscription in all.values { subscription.leave(isUseless) }
    }

    func stop() {
        let all = open.withLock { open in
            defer { open = nil }
            return open ?? [:]
        }
        newRequests.finish()
        for subscription in all.values { subscription.finish() }
    }
}
