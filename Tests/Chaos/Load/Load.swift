// A steady load of clients: each reserves, thinks, and commits what it really used, some at another gateway, some more
// than they had reserved; some release, some go away without a word. A client repeats what nobody answered.

import AsyncHTTPClient
import BursarCommands
import Foundation
import NIOCore
import NIOHTTP1
import ProcessSupport
import Synchronization
import TestSupport

final class Load: Sendable {
    /// Accounts with far more allowance than is spent.
    static let wealthy = ["search", "lab"]
    static let abandonedTimeToLive = 2
    private static let timeToLive = 600
    private static let patience = Duration.seconds(40)
    private static let callTime = TimeAmount.milliseconds(1500)

    private struct State {
        var isOpen = false
        var active = 0
        var tight: String?
    }

    private let stack: Stack
    private let record: ClientRecord
    private let client: HTTPClient
    private let state = Mutex(State())

    init(_ stack: Stack, _ record: ClientRecord, client: HTTPClient) {
        (self.stack, self.record, self.client) = (stack, record, client)
    }

    /// A client that fails at once where nobody listens: who repeats a request decides when.
    static func makeClient() -> HTTPClient {
        var configuration = HTTPClient.Configuration(
            timeout: .init(connect: callTime),
            connectionPool: .init(idleTimeout: .seconds(10), concurrentHTTP1ConnectionsPerHostSoftLimit: 64))
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.httpVersion = .http1Only
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    /// Runs until it is cancelled; asks only between ``open(tight:)`` and ``close()``.
    func run(clients: Int, seed: UInt64) async {
        await withTaskGroup { group in
            for number in 0..<clients {
                group.addTask {
                    var chance = SplitMix(seed: seed &+ UInt64(number) &* 0x9E37_79B9)
                    while !Task.isCancelled {
                        if self.begin() {
                            await self.converse(&chance)
                            self.state.withLock { $0.active -= 1 }
                        }
                        try? await Task.sleep(for: .milliseconds(Int.random(in: 5...25, using: &chance)))
                    }
                }
            }
        }
    }

    /// - Parameter tight: one more account, whose allowance will not do.
    func open(tight: String) {
        state.withLock { ($0.isOpen, $0.tight) = (true, tight) }
        record.beginGaps(of: Self.wealthy)
    }

    /// Nobody begins anew; waits until all conversations have ended.
    func close() async throws {
        state.withLock { $0.isOpen = false }
        record.endGaps()
        try await patiently("all clients have got their answers", within: Self.patience + .seconds(20)) {
            self.state.withLock { $0.active } == 0
        }
    }

    private func begin() -> Bool {
        state.withLock { state in
            if state.isOpen { state.active += 1 }
            return state.isOpen
        }
    }

    // MARK: One conversation

    private enum Plan { case commit, commitElsewhere, release, abandon }

    private func converse(_ chance: inout SplitMix) async {
        let tight = state.withLock { $0.tight }
        let account = Int.random(in: 0..<3, using: &chance) == 0 ? tight : Self.wealthy.randomElement(using: &chance)
        guard let account else { return }
        let plan: Plan =
            switch Int.random(in: 0..<100, using: &chance) {
            case ..<68: .commit
            case ..<88: .commitElsewhere
            case ..<94: .release
            default: .abandon
            }
        let hold = Int64.random(in: 5...60, using: &chance)
        let isOver = Int.random(in: 0..<20, using: &chance) == 0
        let actual = isOver ? hold + Int64.random(in: 1...10, using: &chance) : .random(in: 1...hold, using: &chance)
        let place = Int.random(in: stack.gateways.indices, using: &chance)
        let story = Conversation(
            account: account, gateway: place, life: stack.gateways[place].life, hold: hold, actual: actual)
        let number = record.begin(story)
        guard let id = await reserve(story, number, abandons: plan == .abandon, using: &chance) else { return }
        if plan == .abandon {
            record.set(number, .abandoned(until: .now + .seconds(Self.abandonedTimeToLive)))
            return
        }
        record.set(number, .open)
        try? await Task.sleep(for: .milliseconds(Int.random(in: 0...100, using: &chance)))
        var other = place
        if plan == .commitElsewhere {
            other = (place + Int.random(in: 1..<stack.gateways.count, using: &chance)) % stack.gateways.count
        }
        await settle(id, story, number, at: other, releases: plan == .release, using: &chance)
    }

    /// - Returns: the reservation's id when it is admitted.
    private func reserve(
        _ story: Conversation, _ number: Int, abandons: Bool, using chance: inout SplitMix
    ) async -> String? {
        let gateway = stack.gateways[story.gateway]
        let key = String(chance.next(), radix: 36) + String(chance.next(), radix: 36)
        let body = """
            {"account":"\(story.account)","estimate":{"tokens":\(story.hold)},\
            "ttl_s":\(abandons ? Self.abandonedTimeToLive : Self.timeToLive)}
            """
        let deadline = ContinuousClock.now + Self.patience
        var isFirst = true
        // As long as it is the same process, a repeat is answered as the first one was.
        while gateway.life == story.life, ContinuousClock.now < deadline {
            let answer = await ask(.POST, "\(gateway.url)/v1/reservations", body, idempotencyKey: key)
            switch (answer?.status, answer?.code) {
            case (nil, _): record.count { $0.silent += 1 }
            case (201, _):
                guard let id = answer?.body["id"]?.string else { break }
                record.admitted(story.account)
                return id
            case (429, "budget_exhausted"):
                record.count { $0.refused += 1 }
                if Self.wealthy.contains(story.account), let answer {
                    record.surprise("\(gateway.name) refuses \(story.hold) of \(story.account): \(answer)")
                }
                record.forget(number)
                return nil
            case (503, _):
                record.count { $0.unable += 1 }
                record.forget(number)
                return nil
            // The first one is still being answered.
            case (409, _) where !isFirst: break
            default:
                if let answer { record.surprise("\(gateway.name) answers a reserve with \(answer)") }
                record.forget(number)
                return nil
            }
            isFirst = false
            guard (try? await Task.sleep(for: .milliseconds(50))) != nil else { break }
        }
        return nil
    }

    private func settle(
        _ id: String, _ story: Conversation, _ number: Int, at first: Int, releases: Bool, using chance: inout SplitMix
    ) async {
        let deadline = ContinuousClock.now + Self.patience
        var place = first
        while ContinuousClock.now < deadline {
            let gateway = stack.gateways[place]
            let path = "\(gateway.url)/v1/reservations/\(id)"
            let asked = ContinuousClock.now
            let answer =
                releases
                ? await ask(.DELETE, path, nil)
                : await ask(.POST, path + "/commit", #"{"tokens":\#(story.actual)}"#)
            switch answer?.status {
            case 200 where !releases:
                record.set(number, .committed(asked: asked, at: .now))
                record.count { counts in
                    counts.commits += 1
                    if place != story.gateway { counts.commitsElsewhere += 1 }
                }
                if let answer, answer.body["charged.tokens"] != .number(Decimal(story.actual)) {
                    record.surprise("\(gateway.name) charges another amount than \(story.actual): \(answer)")
                }
                return
            case 204 where releases: return record.set(number, .released)
            // Nobody can know yet: it is to be repeated.
            case 202, 503: break
            case nil: record.count { $0.silent += 1 }
            default:
                if let answer {
                    let word = releases ? "release" : "commit"
                    record.surprise("\(gateway.name) answers a \(word) of \(id) with \(answer)")
                }
                return record.set(number, .unanswered)
            }
            guard (try? await Task.sleep(for: .milliseconds(100))) != nil else { break }
            place = Int.random(in: stack.gateways.indices, using: &chance)
        }
        record.set(number, .unanswered)
    }

    private func ask(
        _ method: HTTPMethod, _ url: String, _ body: String?, idempotencyKey: String? = nil
    ) async -> Answer? {
        try? await Answer.to(
            method, url, key: stack.key, body, idempotencyKey: idempotencyKey, within: Self.callTime, by: client)
    }
}
