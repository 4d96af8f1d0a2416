// The accounts that a node knows, found without a lock that all requests share.

import QuotaCore
import Synchronization

/// Account id -> entry, in shards.
final class EntryTable: Sendable {
    private final class Shard: Sendable {
        let entries = Mutex<[String: AccountEntry]>([:])
    }
    private let shards = (0..<16).map { _ in Shard() }
    private let maximum: Int

    init(maximum: Int) { self.maximum = max(1, maximum / 16) }

    private func shard(_ account: String) -> Shard { shards[account.utf8.reduce(0) { $0 &* 31 &+ Int($1) } & 15] }

    subscript(account: String) -> AccountEntry? {
        shard(account).entries.withLock { $0[account] }
    }

    func store(_ entry: AccountEntry) {
        shard(entry.chain.account).entries.withLock { entries in
            if entries.count >= maximum, entries[entry.chain.account] == nil, let victim = entries.keys.first {
                entries[victim] = nil
            }
            entries[entry.chain.account] = entry
        }
    }

    /// Retires the entries that satisfy a condition: their next request looks them up anew.
    func retire(where condition: (AccountEntry) -> Bool) {
        for shard in shards {
            let found = shard.entries.withLock { $0.values.filter { _ in true } }
            for entry in found where condition(entry) { entry.chain.retire() }
        }
    }

    var all: [AccountEntry] { shards.flatMap { Array($0.entries.withLock { $0.values.map { $0 } }) } }
}
