// The order of things on one connection, without I/O or clock: who waits for which reply, what is still to be written,
// who is overdue. RESP2 has no request ids, so the reply that arrives next belongs to the oldest request: that a slot
// never leaves before its reply is the invariant on which everything rests.
//
// A request that times out or is cancelled therefore keeps its slot, and its late reply is dropped: closing the
// connection instead would fail every neighbour because of one slow command. A server that hangs is noticed by its
// silence: when the oldest reply is overdue and no byte has arrived for the stall timeout, the connection is given up.

import NIOCore

struct RequestQueue<Waiter: Sendable>: Sendable {
    typealias Outcome = Result<RESPValue, RedisError>

    struct Limits: Sendable {
        /// The most requests in flight, and the most that wait for a connection.
        var requests: Int
        /// The most bytes that wait to be written.
        var pendingBytes: Int
        var stallTimeout: TimeAmount
    }

    /// What the driver must do after an event, outside the lock.
    struct Effects: Sendable {
        var completions: [(waiter: Waiter, outcome: Outcome)] = []
        /// Call ``RequestQueue/takeOutbound(session:)`` on the event loop's next turn.
        var flush = false
        /// Call ``RequestQueue/expire(now:)`` at this time.
        var timer: NIODeadline?
        /// The connection is of no use: close it.
        var close = false
    }

    private enum Phase {
        case disconnected
        case ready(session: UInt64)
        /// The server is no longer the right one: new requests wait for the next connection, those in flight may still
        /// be answered; closes when nobody waits for a reply any more.
        case renewing(session: UInt64)
        /// No new requests; closes when nobody waits for a reply any more.
        case draining(session: UInt64)
        case stopped
    }

    private struct Waiting {
        let id: UInt64
        let waiter: Waiter
        let command: ByteBuffer
        let replies: Int
        let deadline: NIODeadline
    }

    private struct Slot {
        let id: UInt64
        /// How many replies belong to it, and those that are in.
        let replies: Int
        var received: [RESPValue] = []
        /// nil when nobody wants the reply any more.
        var waiter: Waiter?
        let deadline: NIODeadline
        let sentAt: NIODeadline
    }

    private let limits: Limits
    private var phase = Phase.disconnected
    private var sessions: UInt64 = 0
    private var waiting = CircularBuffer<Waiting>()
    private var waitingBytes = 0
    private var inFlight = CircularBuffer<Slot>()
    /// Slots at the end of `inFlight` whose bytes are still in `outbound`.
    private var unwritten = 0
    private var outbound = ByteBuffer()
    private var flushPending = false
    private var lastReceived = NIODeadline.uptimeNanoseconds(0)
    private var armedFor: NIODeadline?

    /// Why there is no connection, when that is known.
    private(set) var lastError: RedisError?
    private(set) var statistics = RedisStatistics()

    init(limits: Limits) {
        self.limits = limits
    }

    var isReady: Bool {
        if case .ready = phase { return true }
        return false
    }

    /// Slots taken, abandoned ones included.
    var inFlightCount: Int { inFlight.count }
    var waitingCount: Int { waiting.count }

    // MARK: Requests

    /// `command` may be several commands, which then stay together on the wire: `replies` is how many. The outcome of
    /// more than one is an array of all replies.
    mutating func enqueue(
        id: UInt64, waiter: Waiter, command: ByteBuffer, replies: Int = 1, deadline: NIODeadline, now: NIODeadline
    ) -> Effects {
        let request = Waiting(id: id, waiter: waiter, command: command, replies: replies, deadline: deadline)
        var effects = Effects()
        guard deadline > now else {
            return .fail(waiter, RedisError(.timeout, "the deadline had passed before the command was sent"))
        }
        switch phase {
        case .stopped, .draining:
            return .fail(waiter, RedisError(.notConnected, "the Redis client has stopped", cause: lastError))
        case .disconnected, .renewing:
            guard waiting.count < limits.requests, waitingBytes + command.readableBytes <= limits.pendingBytes else {
                return .fail(waiter, .queueFull(waiting.count, "wait for a connection", cause: lastError))
            }
            waiting.append(request)
            waitingBytes += command.readableBytes
        case .ready:
            guard inFlight.count < limits.requests,
                outbound.readableBytes + command.readableBytes <= limits.pendingBytes
            else { return .fail(waiter, .queueFull(inFlight.count, "are in flight")) }
            append(request, now: now)
            effects.flush = requestFlush()
        }
        effects.timer = arm(deadline)
        return effects
    }

    /// The caller has gone. A request that waits for a connection is forgotten; one in flight keeps its slot.
    mutating func cancel(id: UInt64) -> Effects {
        if let index = inFlight.firstIndex(where: { $0.id == id }) {
            guard let waiter = inFlight[index].waiter else { return Effects() }
            inFlight[index].waiter = nil
            var effects = Effects.fail(waiter, .cancelled(mayHaveExecuted: true))
            finishLeaving(&effects)
            return effects
        }
        guard let index = waiting.firstIndex(where: { $0.id == id }) else { return Effects() }
        let request = waiting.remove(at: index)
        waitingBytes -= request.command.readableBytes
        return .fail(request.waiter, .cancelled(mayHaveExecuted: false))
    }

    // MARK: Connection

    /// A connection is up and authenticated: everything that waited is sent. Nil when the client has stopped meanwhile.
    mutating func connected(now: NIODeadline) -> (session: UInt64, effects: Effects)? {
        guard case .disconnected = phase else { return nil }
        sessions += 1
        phase = .ready(session: sessions)
        statistics.reconnects = sessions - 1
        lastError = nil
        lastReceived = now
        var effects = Effects()
        while let request = waiting.popFirst() { append(request, now: now) }
        waitingBytes = 0
        if unwritten > 0 { effects.flush = requestFlush() }
        return (sessions, effects)
    }

    /// The bytes to write now; nil when there are none, or when this connection is not the current one.
    mutating func takeOutbound(session: UInt64) -> ByteBuffer? {
        guard isCurrent(session) else { return nil }
        flushPending = false
        guard unwritten > 0 else { return nil }
        statistics.commandsSent += UInt64(unwritten)
        unwritten = 0
        defer { outbound = ByteBuffer() }
        return outbound
    }

    /// Bytes have arrived and completed these replies; there may be none.
    mutating func received(_ replies: [RESPValue], session: UInt64, now: NIODeadline) -> Effects {
        guard isCurrent(session) else { return Effects() }
        lastReceived = now
        var effects = Effects()
        effects.completions.reserveCapacity(replies.count)
        for reply in replies {
            guard inFlight.count > unwritten, let head = inFlight.indices.first else {
                let error = RedisError(.protocolViolation, "the server sent a reply that nobody asked for")
                return effects.followed(by: abandonConnection(error))
            }
            inFlight[head].received.append(reply)
            guard inFlight[head].received.count == inFlight[head].replies else { continue }
            let slot = inFlight.removeFirst()
            guard let waiter = slot.waiter else { continue }
            effects.completions.append((waiter, .success(slot.replies == 1 ? reply : .array(slot.received))))
        }
        finishLeaving(&effects)
        return effects
    }

    /// The connection broke or must be closed: nothing in flight will be answered, and nothing is sent again.
    mutating func connectionLost(_ error: RedisError, session: UInt64) -> Effects {
        guard isCurrent(session) else { return Effects() }
        return abandonConnection(error)
    }

    /// An attempt to connect failed; shown as the cause by requests that wait in vain.
    mutating func connectFailed(_ error: RedisError) {
        lastError = error
    }

    /// The server is no longer the right one: leaves it as soon as what is in flight has been answered.
    mutating func renew() -> Effects {
        guard case .ready(let session) = phase else { return Effects() }
        phase = .renewing(session: session)
        var effects = Effects()
        finishLeaving(&effects)
        return effects
    }

    /// No new requests. What is in flight may still be answered; what waits for a connection fails.
    mutating func drain() -> Effects {
        var effects = Effects()
        switch phase {
        case .ready(let session), .renewing(let session):
            phase = .draining(session: session)
            failWaiting(&effects)
            finishLeaving(&effects)
        case .disconnected:
            return stop()
        case .draining, .stopped:
            break
        }
        return effects
    }

    /// The end: everybody who still waits is told.
    mutating func stop() -> Effects {
        var effects = abandonConnection(RedisError(.connectionClosed, "the Redis client has stopped"))
        phase = .stopped
        failWaiting(&effects)
        return effects
    }

    // MARK: Time

    /// The timer has fired: fails who is overdue, gives up a silent connection, sets the next timer.
    mutating func expire(now: NIODeadline) -> Effects {
        if let armedFor, armedFor > now { return Effects() }
        armedFor = nil
        var effects = Effects()
        var next: NIODeadline?
        func consider(_ deadline: NIODeadline) { next = min(next ?? deadline, deadline) }

        if let head = inFlight.first {
            let stalled = max(head.deadline, max(lastReceived, head.sentAt) + limits.stallTimeout)
            if stalled <= now {
                effects = abandonConnection(RedisError(.timeout, "the server has stopped answering"))
            } else {
                consider(stalled)
            }
        }
        for index in inFlight.indices {
            guard let waiter = inFlight[index].waiter else { continue }
            guard inFlight[index].deadline <= now else {
                consider(inFlight[index].deadline)
                continue
            }
            inFlight[index].waiter = nil
            statistics.timeouts += 1
            let error = RedisError(.timeout, "no reply before the deadline", mayHaveExecuted: true)
            effects.completions.append((waiter, .failure(error)))
        }
        if waiting.contains(where: { $0.deadline <= now }) {
            let all = waiting
            waiting.removeAll(keepingCapacity: true)
            for request in all {
                guard request.deadline <= now else {
                    waiting.append(request)
                    continue
                }
                waitingBytes -= request.command.readableBytes
                let error = RedisError(.notConnected, "no connection before the deadline", cause: lastError)
                effects.completions.append((request.waiter, .failure(error)))
            }
        }
        for request in waiting { consider(request.deadline) }
        finishLeaving(&effects)
        if let next { effects.timer = arm(max(next, now + .milliseconds(1))) }
        return effects
    }

    // MARK: Steps

    private func isCurrent(_ session: UInt64) -> Bool {
        switch phase {
        case .ready(session), .renewing(session), .draining(session): true
        default: false
        }
    }

    private mutating func append(_ request: Waiting, now: NIODeadline) {
        outbound.writeImmutableBuffer(request.command)
        unwritten += 1
        inFlight.append(
            Slot(
                id: request.id, replies: request.replies, waiter: request.waiter, deadline: request.deadline,
                sentAt: now))
    }

    private mutating func requestFlush() -> Bool {
        defer { flushPending = true }
        return !flushPending
    }

    /// Timers are never cancelled; one is set only when it must fire before those already set.
    private mutating func arm(_ deadline: NIODeadline) -> NIODeadline? {
        if let armedFor, armedFor <= deadline { return nil }
        armedFor = deadline
        return deadline
    }

    private mutating func abandonConnection(_ error: RedisError) -> Effects {
        var effects = Effects()
        switch phase {
        case .ready, .renewing: phase = .disconnected
        case .draining: phase = .stopped
        case .disconnected, .stopped: return effects
        }
        lastError = error
        effects.close = true
        let written = inFlight.count - unwritten
        for (position, slot) in inFlight.enumerated() {
            guard let waiter = slot.waiter else { continue }
            let lost = RedisError(
                .connectionClosed, "the connection was lost", cause: error, mayHaveExecuted: position < written)
            effects.completions.append((waiter, .failure(lost)))
        }
        inFlight.removeAll()
        outbound = ByteBuffer()
        unwritten = 0
        flushPending = false
        return effects
    }

    private mutating func failWaiting(_ effects: inout Effects) {
        while let request = waiting.popFirst() {
            let error = RedisError(.notConnected, "the Redis client has stopped", cause: lastError)
            effects.completions.append((request.waiter, .failure(error)))
        }
        waitingBytes = 0
    }

    private mutating func finishLeaving(_ effects: inout Effects) {
        guard inFlight.allSatisfy({ $0.waiter == nil }) else { return }
        switch phase {
        case .draining: effects = effects.followed(by: stop())
        case .renewing:
            effects = effects.followed(by: abandonConnection(RedisError(.connectionClosed, "the server was left")))
        case .disconnected, .ready, .stopped: break
        }
    }
}

extension RequestQueue.Effects {
    fileprivate static func fail(_ waiter: Waiter, _ error: RedisError) -> Self {
        Self(completions: [(waiter, .failure(error))])
    }

    fileprivate func followed(by later: Self) -> Self {
        var both = self
        both.completions += later.completions
        both.flush = flush || later.flush
        both.timer = later.timer ?? timer
        both.close = close || later.close
        return both
    }
}

extension RedisError {
    fileprivate static func queueFull(_ count: Int, _ what: String, cause: RedisError? = nil) -> RedisError {
        RedisError(.queueFull, "too much at once: \(count) commands \(what)", cause: cause)
    }

    static func cancelled(mayHaveExecuted: Bool) -> RedisError {
        RedisError(.cancelled, "the caller was cancelled", mayHaveExecuted: mayHaveExecuted)
    }
}
