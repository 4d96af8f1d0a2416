// Keys of one organisation as a node knows them: found in memory, looked up within limits, dropped by news.

import Crypto
import Foundation
import Ledger
import QuotaCore
import RedisClient
import Synchronization

/// Looks keys up. Unknown ones are remembered as such for a while, so that garbage does not reach the ledger.
package final class KeyCache: Sendable {
    private struct State {
        var known: [String: KeyRecord] = [:]
        /// Key id -> until when it counts as unknown (monotonic ms).
        var unknown: [String: Int64] = [:]
        /// Raised by every piece of news: what was being looked up meanwhile may be older.
        var epoch: UInt64 = 0
        var second: Int64 = 0
        var lookups = 0
    }
    private let state = Mutex(State())
    private let organisation: String
    private let ledger: Ledger
    private let configuration: GatewayNodeConfiguration
    private let clock: any NodeClock

    init(organisation: String, ledger: Ledger, configuration: GatewayNodeConfiguration, clock: any NodeClock) {
        self.organisation = organisation
        self.ledger = ledger
        self.configuration = configuration
        self.clock = clock
    }

    /// Who holds a well-formed key of this organisation, as of what this node knows.
    func authenticate(_ key: APIKey, time: Int64) async -> Authentication {
        if let record = state.withLock({ $0.known[key.id] }) { return judge(record, key, time: time) }
        let now = clock.now()
        let asked = state.withLock { state -> (isAllowed: Bool, epoch: UInt64)? in
            if let until = state.unknown[key.id], until > now { return nil }
            if state.second != now / 1000 { (state.second, state.lookups) = (now / 1000, 0) }
            state.lookups += 1
            return (state.lookups <= configuration.keyLookupsPerSecond, state.epoch)
        }
        guard let asked else { return .unknown }
        guard asked.isAllowed else { return .unavailable }
        do {
            let reply = try await ledger.redis.send(["HGET", Ledger.prefix(organisation) + "keys", key.id])
            guard let text = reply.string else {
                state.withLock { state in
                    guard state.epoch == asked.epoch else { return }
                    if state.unknown.count >= configuration.maximumKeys { state.unknown.removeAll() }
                    state.unknown[key.id] = now + configuration.unknownKeyTime
                }
                return .unknown
            }
            let record = try JSONDecoder().decode(KeyRecord.self, from: Data(text.utf8))
            state.withLock { state in
                guard state.epoch == asked.epoch else { return }
                if state.known.count >= configuration.maximumKeys, let victim = state.known.keys.first {
                    state.known[victim] = nil
                }
                state.known[key.id] = record
            }
            return judge(record, key, time: time)
        } catch {
            return .unavailable
        }
    }

    private func judge(_ record: KeyRecord, _ key: APIKey, time: Int64) -> Authentication {
        guard key.matches(sha256Hex: record.sha256) else { return .unknown }
        guard let role = Role(rawValue: record.role.rawValue) else { return .unknown }
        let isExpired = record.expiresMilliseconds.map { $0 <= time } ?? false
        return .caller(
            Caller(
                organisation: organisation, keyID: record.id, role: role, account: record.account,
                principal: record.principal, defaultAccount: record.defaultAccount,
                revoked: record.revokedMilliseconds != nil || isExpired))
    }

    /// News: a key was made, rotated or revoked.
    func forget(_ id: String) {
        state.withLock { state in
            state.epoch += 1
            state.known[id] = nil
            state.unknown[id] = nil
        }
    }

    func forgetAll() {
        state.withLock { state in
            state.epoch += 1
            state.known = [:]
            state.unknown = [:]
        }
    }
}
