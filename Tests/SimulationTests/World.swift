// The simulated world: time, a lossy network, processes that die or sleep, and one real Redis that may forget.

import Foundation
import Ledger
import QuotaCore
import RedisClient
import TestSupport

/// What may go wrong in a run.
struct Faults: OptionSet {
    let rawValue: Int
    static let loss = Faults(rawValue: 1)
    static let kill = Faults(rawValue: 2)
    static let pause = Faults(rawValue: 4)
    static let close = Faults(rawValue: 8)
    static let rollback = Faults(rawValue: 16)
    static let lower = Faults(rawValue: 32)
    /// Periods end in the midst of a run.
    static let period = Faults(rawValue: 64)
    /// Messages of a node go one way only.
    static let oneWay = Faults(rawValue: 128)
    /// A node's clock leaps ahead by five minutes, as after a suspension of its machine.
    static let leap = Faults(rawValue: 256)
    /// Redis forgets its scripts.
    static let scripts = Faults(rawValue: 512)
    /// Redis has no memory left: the first write of every script fails.
    static let full = Faults(rawValue: 1024)
    /// A replica takes over that was behind by more than a second.
    static let stale = Faults(rawValue: 2048)
    static let all: Faults = [
        .loss, .kill, .pause, .close, .rollback, .lower, .period, .oneWay, .leap, .scripts, .full, .stale,
    ]
}

/// A broken promise, with the time at which it showed.
struct Violation: Error, CustomStringConvertible {
    let description: String
}

/// One reservation as an all-seeing observer knows it.
struct Truth {
    var session: String
    var holds: [LeaseKey: Int64]
    /// What a client was told to be committed.
    var acknowledged: Int64?
    /// Every amount that a commit or an expiry ever tried to charge.
    var attempts: [Int64] = []
    var askedAt: Int64 = 0
    /// A commit came when the hold may have been released by time: it is an overrun as a whole.
    var cameAfterRelease = false
    /// Acknowledged from its owner's memory: until the owner has told the ledger only the hold is safe from its death.
    var isCountedByOwner = false
    /// Nobody committed in time, and not its owner but the ledger let the hold go: no client may rely on it any more.
    var isReleased = false
}

/// Runs events in the order of their time; everything happens on one task, so a seed replays exactly.
final class World {
    struct Event {
        var at: Int64
        var order: Int
        var run: (World) async throws -> Void
    }

    static let organisation = "default"
    static let start: Int64 = 1_767_225_600_000  // 2026-01-01T00:00:00Z
    let ledger: Ledger
    let redis: RedisClient
    var random: SeededGenerator
    let faults: Faults
    private(set) var begin = World.start
    private(set) var now = World.start
    var runID = "a1"
    var runs = 1
    private var names = 0
    let nodeCount: ClosedRange<Int64>
    private var queue: [Event] = []
    private var orders = 0
    var calm = false
    var ledgerUp = true
    /// Connections of an earlier run of Redis are gone.
    var epoch = 0
    var nodes: [SimulatedNode] = []
    private(set) var truths: [String: Truth] = [:]
    /// What all truths hold or have used, and what of it is beyond their holds.
    private(set) var totals: [LeaseKey: (held: Int64, overruns: Int64)] = [:]
    var snapshots: [(at: Int64, database: Int)] = []
    var lastSnapshot = 0
    /// Books lost by a rollback whose node did not live to tell them, per lease key.
    var forgiven: [LeaseKey: Int64] = [:]
    var statistics: [String: Int] = [:]
    var trace: [String] = []
    private(set) var steps = 0
    let keepsTrace = ProcessInfo.processInfo.environment["BURSAR_TRACE"] != nil
    /// The largest limit that each budget ever had, and the generations of all budgets.
    var limits: [LeaseKey: Int64] = [:]
    var generations: [String] = []
    var abandonedCharges = true
    /// The first broken promise seen where it could not be thrown.
    var breach: String?
    /// Reservations outlive their session by so much that the ledger may have settled some of them itself.
    var ledgerCharged: Bool {
        !faults.isDisjoint(with: [.close, .pause, .rollback, .oneWay, .leap, .full, .stale])
    }

    init(ledger: Ledger, redis: RedisClient, seed: UInt64, faults: Faults, nodes: ClosedRange<Int64>) {
        self.nodeCount = nodes
        self.ledger = ledger
        self.redis = redis
        self.random = SeededGenerator(seed: seed)
        self.faults = faults
    }

    /// Many nodes need more to share.
    var scale: Int64 { max(1, nodeCount.upperBound / 5) }

    func fresh(_ prefix: String) -> String {
        names += 1
        return prefix + String(names)
    }

    func count(_ what: String) { statistics[what, default: 0] += 1 }

    func note(_ text: String) {
        trace.append("\(now - begin) \(text)")
        if trace.count > 60, !keepsTrace { trace.removeFirst(20) }
    }

    /// The ledger as a script sees it now: simulated time, the present run, the next history's name.
    var books: Ledger {
        let name = fresh("h")
        return Ledger(
            redis: redis,
            environment: Ledger.Environment(timeMilliseconds: String(now), runID: runID, nextHistory: { name }))
    }

    /// Changes what is known of a reservation; the totals follow.
    func update(_ id: String, _ change: (inout Truth) -> Void) {
        guard var truth = truths[id] else { return }
        add(truth, sign: -1)
        change(&truth)
        add(truth, sign: 1)
        truths[id] = truth
    }

    func remember(_ id: String, _ truth: Truth) {
        truths[id] = truth
        add(truth, sign: 1)
    }

    private func add(_ truth: Truth, sign: Int64) {
        let charged = truth.attempts.filter { $0 >= 0 }.max()
        for (key, hold) in truth.holds {
            var total = totals[key] ?? (0, 0)
            let isOver = truth.isReleased || truth.attempts.contains(-1)
            total.held += sign * (charged ?? (isOver ? 0 : hold))
            total.overruns += sign * max(0, (charged ?? 0) - (truth.cameAfterRelease ? 0 : hold))
            totals[key] = total
        }
    }

    // MARK: Time

    func after(_ delay: Int64, _ run: @escaping (World) async throws -> Void) {
        orders += 1
        let event = Event(at: now + max(0, delay), order: orders, run: run)
        let place = queue.partitioningPoint { ($0.at, $0.order) > (event.at, event.order) }
        queue.insert(event, at: place)
    }

    /// The time at which the run begins.
    func begin(at time: Int64) {
        begin = time
        now = time
    }

    /// Nothing is left to happen, and much time goes by.
    func skip(to time: Int64) { now = max(now, time) }

    /// Runs until a time or until nothing is left to happen.
    func run(until end: Int64) async throws {
        while let event = queue.first, event.at <= end {
            queue.removeFirst()
            now = event.at
            steps += 1
            try await event.run(self)
        }
        now = max(now, end)
    }

    // MARK: Network

    /// Milliseconds on the way; nil when the message is lost.
    func delay() -> Int64? {
        guard faults.contains(.loss), !calm else { return random.integer(1...3) }
        if random.chance(0.05) { return nil }
        let dice = Double.random(in: 0..<1, using: &random)
        return dice < 0.85 ? random.integer(1...8) : dice < 0.97 ? random.integer(8...80) : random.integer(80...2500)
    }

    /// Delivers once, sometimes twice, sometimes never.
    func send(_ run: @escaping (World) async throws -> Void) {
        if let delay = delay() { after(delay, run) }
        if faults.contains(.loss), !calm, random.chance(0.05), let again = delay() { after(again, run) }
    }

    // MARK: Redis that forgets

    /// Redis restarts and has lost up to its last second.
    func rollback(age: ClosedRange<Int64>, down: Int64) async throws {
        let candidates = snapshots.filter { age.contains(now - $0.at) }
        guard let chosen = random.pick(candidates) else { return }
        count("rollback")
        note("rollback to \(chosen.at - begin)")
        let before = try await leaseRows()
        try await restore(chosen.database)
        let after = try await leaseRows()
        for (row, granted) in before where granted > after[row] ?? 0 {
            // A dead session cannot tell what it was granted; a living one must.
            if !nodes.contains(where: { $0.isRunning && $0.knows(row.session) }) {
                forgiven[row.key, default: 0] += granted - (after[row] ?? 0)
            } else {
                lostRows.append((row.session, row.key, granted - (after[row] ?? 0)))
            }
        }
        snapshots = []
        runs += 1
        runID = "a\(runs)"
        epoch += 1
        ledgerUp = false
        self.after(down) { world in
            world.ledgerUp = true
            for node in world.nodes where node.isRunning { node.retell(world) }
        }
    }

    /// No memory is left.
    private(set) var isFull = false

    func fill(for duration: Int64) async throws {
        count("full")
        note("no memory for \(duration)")
        isFull = true
        _ = try await redis.send(["CONFIG", "SET", "maxmemory", "1"])
        after(duration) { world in
            _ = try await world.redis.send(["CONFIG", "SET", "maxmemory", "0"])
            world.isFull = false
        }
    }

    /// Grants lost by a rollback while their session lived: forgiven only if that node dies before it can tell.
    var lostRows: [(session: String, key: LeaseKey, amount: Int64)] = []
}

extension Array {
    /// First index whose element satisfies the predicate, in a list where all that do come last.
    func partitioningPoint(_ belongsAfter: (Element) -> Bool) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if belongsAfter(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
