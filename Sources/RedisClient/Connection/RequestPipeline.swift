// Drives a RequestQueue: callers from any thread on one side, the event loop on the other. Decisions are made under the
// lock; continuations are resumed, bytes written and timers set outside it.

import NIOCore
import Synchronization

final class RequestPipeline: Sendable {
    typealias Waiter = CheckedContinuation<Result<RESPValue, RedisError>, Never>
    private typealias Queue = RequestQueue<Waiter>

    private struct State {
        var queue: Queue
        var channel: (any Channel)?
        var session: UInt64 = 0
    }

    let eventLoop: any EventLoop
    private let nextID = Atomic<UInt64>(0)
    private let state: Mutex<State>

    init(configuration: RedisConfiguration, eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
        let limits = Queue.Limits(
            requests: configuration.maxInFlight, pendingBytes: configuration.maxPendingBytes,
            stallTimeout: TimeAmount(configuration.stallTimeout))
        state = Mutex(State(queue: Queue(limits: limits)))
    }

    var isReady: Bool { state.withLock { $0.queue.isReady } }

    var lastError: RedisError? { state.withLock { $0.queue.lastError } }

    var statistics: RedisStatistics {
        state.withLock { state in
            var statistics = state.queue.statistics
            statistics.inFlight = state.queue.inFlightCount
            return statistics
        }
    }

    /// Sends one command and waits for its reply, whatever it is; or several that stay together, `replies` of them.
    func exchange(_ command: ByteBuffer, replies: Int = 1, deadline: NIODeadline) async -> Result<RESPValue, RedisError>
    {
        let id = nextID.wrappingAdd(1, ordering: .relaxed).newValue
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                update { state in
                    // Asked under the lock, so that a cancellation is seen either here or by `cancel`.
                    if Task.isCancelled {
                        let error = RedisError.cancelled(mayHaveExecuted: false)
                        return Queue.Effects(completions: [(continuation, .failure(error))])
                    }
                    return state.queue.enqueue(
                        id: id, waiter: continuation, command: command, replies: replies, deadline: deadline,
                        now: eventLoop.now)
                }
            }
        } onCancel: {
            update { $0.queue.cancel(id: id) }
        }
    }

    // MARK: Called by the connection, on the event loop

    /// The connection may carry requests from now on; nil when it must be closed because the client has stopped.
    func connected(_ channel: any Channel) -> UInt64? {
        var session: UInt64?
        update { state in
            guard let (newSession, effects) = state.queue.connected(now: eventLoop.now) else { return Queue.Effects() }
            session = newSession
            state.channel = channel
            state.session = newSession
            return effects
        }
        return session
    }

    func received(_ replies: [RESPValue], session: UInt64) {
        update { $0.queue.received(replies, session: session, now: eventLoop.now) }
    }

    func connectionLost(_ error: RedisError, session: UInt64) {
        update { $0.queue.connectionLost(error, session: session) }
    }

    /// Writes what has gathered since the last turn, unless the socket is full: then `RequestHandler` calls again.
    func flush() {
        let (channel, bytes) = state.withLock { state -> ((any Channel)?, ByteBuffer?) in
            guard let channel = state.channel, channel.isWritable else { return (nil, nil) }
            return (channel, state.queue.takeOutbound(session: state.session))
        }
        guard let channel, let bytes else { return }
        channel.writeAndFlush(bytes, promise: nil)
    }

    // MARK: Called by the client

    func connectFailed(_ error: RedisError) {
        state.withLock { $0.queue.connectFailed(error) }
    }

    /// Leaves this server as soon as what is in flight has been answered; new requests wait for the next connection.
    func renew() { update { $0.queue.renew() } }

    /// Leaves this server at once: it is gone, or no longer the right one.
    func abandon(_ error: RedisError) { update { $0.queue.connectionLost(error, session: $0.session) } }

    /// Refuses new requests and closes when the last reply is in, at the latest after `limit`.
    func drain(within limit: TimeAmount) {
        update { $0.queue.drain() }
        eventLoop.scheduleTask(in: limit) { self.stop() }
    }

    func stop() { update { $0.queue.stop() } }

    private func update(_ change: (inout State) -> Queue.Effects) {
        let (effects, closing) = state.withLock { state -> (Queue.Effects, (any Channel)?) in
            let effects = change(&state)
            guard effects.close else { return (effects, nil) }
            defer { state.channel = nil }
            return (effects, state.channel)
        }
        closing?.close(promise: nil)
        if effects.flush { eventLoop.execute { self.flush() } }
        if let time = effects.timer {
            eventLoop.scheduleTask(deadline: time) { self.update { $0.queue.expire(now: self.eventLoop.now) } }
        }
        for (waiter, outcome) in effects.completions { waiter.resume(returning: outcome) }
    }
}
