// The request queue on its own: events and times in, effects out.

import NIOCore
import Testing
import TopologySupport

@testable import RedisClient

@Suite("The request queue")
struct RequestQueueTests {
    typealias Queue = RequestQueue<Int>
    private let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)

    private func makeQueue(requests: Int = 100, bytes: Int = 1000) -> Queue {
        Queue(limits: .init(requests: requests, pendingBytes: bytes, stallTimeout: .seconds(2)))
    }

    @discardableResult
    private func add(_ id: Int, to queue: inout Queue, after: TimeAmount = .zero, timeout: TimeAmount = .seconds(1))
        -> Queue.Effects
    {
        queue.enqueue(
            id: UInt64(id), waiter: id, command: ByteBuffer(string: "\(id);"), deadline: start + after + timeout,
            now: start + after)
    }

    private func connect(_ queue: inout Queue) throws -> (session: UInt64, effects: Queue.Effects) {
        let connected = queue.connected(now: start)
        return try #require(connected)
    }

    @Test("Commands that stay together have one outcome, made of all their replies")
    func severalReplies() throws {
        var queue = makeQueue()
        let (session, _) = try connect(&queue)
        _ = queue.enqueue(
            id: 1, waiter: 1, command: ByteBuffer(string: "a;b;"), replies: 2, deadline: start + .seconds(1), now: start
        )
        add(2, to: &queue)
        _ = queue.takeOutbound(session: session)
        #expect(queue.received([.integer(1)], session: session, now: start).completions.isEmpty)
        let effects = queue.received([.integer(2), .integer(3)], session: session, now: start)
        #expect(effects.completions.map(\.waiter) == [1, 2])
        #expect(
            effects.completions.compactMap { try? $0.outcome.get() }
                == [.array([.integer(1), .integer(2)]), .integer(3)])
    }

    @Test("A server is left when the last reply is in; what comes meanwhile waits for the next connection")
    func renewal() throws {
        var queue = makeQueue()
        let (session, _) = try connect(&queue)
        add(1, to: &queue)
        _ = queue.takeOutbound(session: session)
        #expect(!queue.renew().close)
        #expect(!queue.isReady)
        add(2, to: &queue)
        #expect(queue.waitingCount == 1)
        let effects = queue.received([.integer(1)], session: session, now: start)
        #expect(effects.completions.map(\.waiter) == [1])
        #expect(effects.close)
        let (next, _) = try connect(&queue)
        #expect(queue.takeOutbound(session: next).map { String(buffer: $0) } == "2;")
        #expect(!queue.renew().close)
        let lost = queue.connectionLost(RedisError(.connectionClosed, "gone"), session: next)
        #expect(lost.completions.map(\.waiter) == [2])
    }

    @Test("Only the first request since the last flush asks for a flush, which then carries all")
    func oneFlush() throws {
        var queue = makeQueue()
        let (session, _) = try connect(&queue)
        #expect((1...4).map { add($0, to: &queue).flush } == [true, false, false, false])
        #expect(queue.takeOutbound(session: session).map { String(buffer: $0) } == "1;2;3;4;")
        #expect(queue.takeOutbound(session: session) == nil)
        #expect(add(5, to: &queue).flush)
    }

    @Test("What waited for a connection is sent in order before what comes later")
    func waitingFirst() throws {
        var queue = makeQueue()
        for id in 1...3 { #expect(add(id, to: &queue).flush == false) }
        let (session, effects) = try connect(&queue)
        #expect(effects.flush)
        #expect(add(4, to: &queue).flush == false)
        #expect(queue.takeOutbound(session: session).map { String(buffer: $0) } == "1;2;3;4;")
        let replies = queue.received((1...4).map { .integer($0) }, session: session, now: start)
        #expect(replies.completions.map(\.waiter) == [1, 2, 3, 4])
    }

    @Test("Only what was written may have been executed when the connection breaks")
    func mayHaveExecuted() throws {
        var queue = makeQueue()
        let (session, _) = try connect(&queue)
        add(1, to: &queue)
        _ = queue.takeOutbound(session: session)
        add(2, to: &queue)
        let effects = queue.connectionLost(RedisError(.connectionClosed, "gone"), session: session)
        #expect(effects.close)
        #expect(effects.completions.map { $0.outcome.error?.mayHaveExecuted } == [true, false])
        #expect(effects.completions.allSatisfy { $0.outcome.error?.code == .connectionClosed })
        #expect(!queue.isReady)
    }

    @Test("News of a connection that is no longer the current one changes nothing")
    func staleSession() throws {
        var queue = makeQueue()
        let (old, _) = try connect(&queue)
        _ = queue.connectionLost(RedisError(.connectionClosed, "gone"), session: old)
        let (new, _) = try connect(&queue)
        add(1, to: &queue)
        #expect(queue.takeOutbound(session: old) == nil)
        #expect(queue.received([.null], session: old, now: start).completions.isEmpty)
        #expect(queue.connectionLost(RedisError(.connectionClosed, "again"), session: old).completions.isEmpty)
        _ = queue.takeOutbound(session: new)
        #expect(queue.received([.null], session: new, now: start).completions.map(\.waiter) == [1])
    }

    @Test("A reply before its command was written is nobody's, and ends the connection")
    func replyTooEarly() throws {
        var queue = makeQueue()
        let (session, _) = try connect(&queue)
        add(1, to: &queue)
        let effects = queue.received([.null], session: session, now: start)
        #expect(effects.close)
        #expect(effects.completions.map { $0.outcome.error?.code } == [.connectionClosed])
        #expect(queue.lastError?.code == .protocolViolation)
    }

    @Test("The bounds on requests and bytes hold in flight and while waiting", arguments: [true, false])
    func bounds(isConnected: Bool) {
        var few = makeQueue(requests: 2)
        var small = makeQueue(bytes: 5)
        if isConnected {
            _ = few.connected(now: start)
            _ = small.connected(now: start)
        }
        #expect((1...3).map { add($0, to: &few).completions.first?.outcome.error?.code } == [nil, nil, .queueFull])
        #expect((1...3).map { add($0, to: &small).completions.first?.outcome.error?.code } == [nil, nil, .queueFull])
    }

    @Test("Cancelling frees a waiting request's place, but a slot in flight stays taken until its reply")
    func cancel() throws {
        var queue = makeQueue(requests: 1)
        add(1, to: &queue)
        #expect(queue.cancel(id: 1).completions.first?.outcome.error?.mayHaveExecuted == false)
        #expect(add(2, to: &queue).completions.isEmpty)
        let (session, _) = try connect(&queue)
        _ = queue.takeOutbound(session: session)
        #expect(queue.cancel(id: 2).completions.first?.outcome.error?.mayHaveExecuted == true)
        #expect(queue.cancel(id: 2).completions.isEmpty)
        #expect(add(3, to: &queue).completions.first?.outcome.error?.code == .queueFull)
        #expect(queue.received([.null], session: session, now: start).completions.isEmpty)
        #expect(add(4, to: &queue).completions.isEmpty)
    }

    @Test("One timer serves all deadlines: a new one only when it is nearer")
    func timers() {
        var queue = makeQueue()
        #expect(add(1, to: &queue, timeout: .seconds(3)).timer == start + .seconds(3))
        #expect(add(2, to: &queue, timeout: .seconds(4)).timer == nil)
        #expect(add(3, to: &queue, timeout: .seconds(1)).timer == start + .seconds(1))
        let first = queue.expire(now: start + .seconds(1))
        #expect(first.completions.map(\.waiter) == [3])
        #expect(first.completions.first?.outcome.error?.code == .notConnected)
        #expect(first.timer == start + .seconds(3))
        #expect(queue.expire(now: start + .seconds(2)).timer == nil)
        #expect(queue.expire(now: start + .seconds(3)).completions.map(\.waiter) == [1])
        #expect(queue.expire(now: start + .seconds(4)).completions.map(\.waiter) == [2])
        #expect(queue.expire(now: start + .seconds(5)).timer == nil)
    }

    @Test("A long command with its own deadline is no sign of a hung server")
    func longCommand() throws {
        var queue = makeQueue()
        let (session, _) = try connect(&queue)
        add(1, to: &queue, timeout: .seconds(60))
        add(2, to: &queue)
        _ = queue.takeOutbound(session: session)
        #expect(queue.expire(now: start + .seconds(1)).completions.map(\.waiter) == [2])
        let later = queue.expire(now: start + .seconds(59))
        #expect(!later.close)
        #expect(queue.expire(now: start + .seconds(60)).close)
    }

    @Test("Draining refuses new requests and ends when the last wanted reply is in")
    func draining() throws {
        var queue = makeQueue()
        let (session, _) = try connect(&queue)
        for id in 1...3 { add(id, to: &queue) }
        _ = queue.takeOutbound(session: session)
        #expect(!queue.drain().close)
        #expect(add(4, to: &queue).completions.first?.outcome.error?.code == .notConnected)
        #expect(!queue.received([.integer(1)], session: session, now: start).close)
        #expect(!queue.cancel(id: 3).close)
        let last = queue.received([.integer(2)], session: session, now: start)
        #expect(last.completions.map(\.waiter) == [2])
        #expect(last.close)
        #expect(queue.connected(now: start) == nil)
    }

    @Test("Whatever happens in whatever order, every request is answered once, and a reply only goes to its own caller")
    func random() {
        for seed in 1...100 as ClosedRange<UInt64> {
            var generator = Seeded(state: seed)
            var queue = makeQueue(requests: 20, bytes: 200)
            var session: UInt64?
            var server: [Int] = []
            var answered: [Int: Int] = [:]
            var now = start
            var count = 0
            var violations = 0
            func take(_ effects: Queue.Effects) {
                for (waiter, outcome) in effects.completions {
                    answered[waiter, default: 0] += 1
                    if case .success(let reply) = outcome, reply != .integer(Int64(waiter)) { violations += 1 }
                }
                if effects.close { (session, server) = (nil, []) }
            }
            for _ in 0..<500 {
                now = now + .milliseconds(Int64.random(in: 0...40, using: &generator))
                switch Int.random(in: 0..<12, using: &generator) {
                case 0..<5:
                    count += 1
                    let timeout = TimeAmount.milliseconds(Int64.random(in: 1...800, using: &generator))
                    take(
                        queue.enqueue(
                            id: UInt64(count), waiter: count, command: ByteBuffer(string: "\(count);"),
                            deadline: now + timeout, now: now))
                case 5, 6:
                    guard let session, let bytes = queue.takeOutbound(session: session) else { break }
                    server += String(buffer: bytes).split(separator: ";").compactMap { Int($0) }
                case 7, 8:
                    guard let session else { break }
                    let some = server.prefix(Int.random(in: 0...5, using: &generator))
                    server.removeFirst(some.count)
                    take(queue.received(some.map { .integer(Int64($0)) }, session: session, now: now))
                case 9:
                    take(queue.cancel(id: UInt64.random(in: 1...UInt64(count + 1), using: &generator)))
                case 10:
                    take(queue.expire(now: now))
                default:
                    if let open = session {
                        guard Int.random(in: 0..<5, using: &generator) == 0 else { break }
                        take(queue.connectionLost(RedisError(.connectionClosed, "gone"), session: open))
                    } else if let (new, effects) = queue.connected(now: now) {
                        session = new
                        take(effects)
                    }
                }
                if queue.inFlightCount > 20 || queue.waitingCount > 20 { violations += 1 }
            }
            take(queue.stop())
            #expect(violations == 0, "seed \(seed)")
            #expect(answered.count == count, "seed \(seed)")
            #expect(answered.values.allSatisfy { $0 == 1 }, "seed \(seed)")
        }
    }
}

extension Result where Success == RESPValue, Failure == RedisError {
    fileprivate var error: RedisError? {
        if case .failure(let error) = self { return error }
        return nil
    }
}

/// SplitMix64: the same numbers from the same seed.
private struct Seeded: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
