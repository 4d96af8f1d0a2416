// When a write to an organisation's books counts: the words for it, and what they ask of Redis.

import RedisClient

/// When grants, settlements, blocks and revocations count. The words are `relaxed`, `replica`, `replica:N`, `disk`.
package enum Durability: Sendable, Hashable, RawRepresentable, Codable {
    /// When Redis has them in memory; what a failover may lose is bounded and stated.
    case relaxed
    /// When so many replicas have them, 1 to 9.
    case replicas(Int)
    /// When Redis has them on disk.
    case disk

    /// As messages name the choices.
    package static let choices = "relaxed, replica, replica:N with N from 1 to 9, disk"

    package init?(rawValue: String) {
        switch rawValue {
        case "relaxed": self = .relaxed
        case "replica": self = .replicas(1)
        case "disk": self = .disk
        default:
            guard rawValue.hasPrefix("replica:"), rawValue.utf8.count == 9,
                let count = rawValue.last?.wholeNumberValue, (1...9).contains(count)
            else { return nil }
            self = .replicas(count)
        }
    }

    package var rawValue: String {
        switch self {
        case .relaxed: "relaxed"
        case .replicas(1): "replica"
        case .replicas(let count): "replica:\(count)"
        case .disk: "disk"
        }
    }

    /// - Parameter limit: for the wait alone.
    func redis(within limit: Duration) -> RedisDurability {
        switch self {
        case .relaxed: .memory
        case .replicas(let count): .replicas(count, within: limit)
        case .disk: .disk(within: limit)
        }
    }
}

extension Ledger {
    private static let probe = RedisScript(name: "durability_probe", source: "return 1")

    /// Proves that this Redis can give what an organisation asks for, before its record says so.
    ///
    /// - Throws: `.invalid` naming `/durability` when it can't: too few replicas, or no file that is synced every time.
    ///   Replicas that are only slow now look the same: ask again.
    package func prove(_ durability: Durability, organisation: String) async throws(LedgerError) {
        guard durability != .relaxed else { return }
        do {
            _ = try await redis.eval(
                Self.probe, keys: Self.keys(organisation), arguments: [],
                durability: durability.redis(within: redis.configuration.commandTimeout / 2))
        } catch {
            guard error.code == .notDurable else { throw LedgerError(error) }
            throw LedgerError(
                .invalid(pointer: "/durability"), "this Redis can't give it: \(error.message)", cause: error)
        }
    }

    /// What the organisation's record says; `relaxed` where there is none.
    func durability(of organisation: String) async throws(LedgerError) -> Durability {
        do {
            let word = try await redis.send(["HGET", Self.prefix(organisation) + "meta", "durability"]).string
            return word.flatMap { Durability(rawValue: $0) } ?? .relaxed
        } catch {
            throw LedgerError(error)
        }
    }
}
