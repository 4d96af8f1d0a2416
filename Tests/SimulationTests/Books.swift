// The books of a run as an auditor reads them, and as a snapshot of Redis keeps them: scripts of the tests' own.

import Ledger
import QuotaCore
import RedisClient

extension World {
    /// A lease's row: whose, and of which budget's period.
    struct Row: Hashable {
        var session: String
        var key: LeaseKey
    }

    /// G1 after every call: the figures of every book, of deleted budgets and past periods too, are the sums of its rows.
    func check(_ what: String) async throws {
        let meta = Ledger.prefix(World.organisation) + "meta"
        let wrong = try await redis.eval(Self.audit, keys: [meta], arguments: []).string ?? "no answer"
        if !wrong.isEmpty { throw Violation(description: "G1 after \(what): \(wrong)") }
    }

    private static let audit = RedisScript(
        name: "audit",
        source: """
            local prefix = string.sub(KEYS[1], 1, -5)
            local call, wrong = redis.call, ''
            for _, generation in ipairs(call('HKEYS', prefix .. 'generations')) do
              for _, start in ipairs(call('ZRANGE', prefix .. 'periods:' .. generation, '0', '-1')) do
                local name = generation .. ':' .. start
                local v = call('HMGET', prefix .. 'book:' .. name, 'committed', 'spent', 'direct', 'kept')
                local committed = tonumber(v[3]) + tonumber(v[4] or '0')
                local spent = tonumber(v[3])
                local rows = call('HGETALL', prefix .. 'leases:' .. name)
                for i = 1, #rows, 2 do
                  local g, u, r, b = string.match(rows[i + 1], '^(%d+) (%d+) (%d+) (%d+)')
                  committed = committed + g - r
                  spent = spent + u + b
                  if g - u - r - b < 0 then wrong = name .. ' row of ' .. rows[i] .. ' ' .. rows[i + 1] end
                end
                if committed ~= tonumber(v[1]) then wrong = name .. ' committed ' .. v[1] .. ', rows ' .. committed end
                if spent ~= tonumber(v[2]) then wrong = name .. ' spent ' .. v[2] .. ', rows ' .. spent end
              end
            end
            return wrong
            """)

    /// All that was granted, by row.
    func leaseRows() async throws -> [Row: Int64] {
        var rows: [Row: Int64] = [:]
        let names = try await redis.send(["KEYS", Ledger.prefix(Self.organisation) + "leases:*"]).array ?? []
        for name in names.compactMap(\.string) {
            let parts = name.split(separator: ":")
            guard parts.count >= 2, let start = Int64(parts[parts.count - 1]) else { continue }
            let key = LeaseKey(generation: String(parts[parts.count - 2]), start: start)
            let all = try await redis.send(["HGETALL", name]).array ?? []
            for index in stride(from: 0, to: all.count - 1, by: 2) {
                let fields = all[index + 1].string?.split(separator: " ") ?? []
                rows[Row(session: all[index].string ?? "", key: key)] = fields.first.flatMap { Int64($0) } ?? 0
            }
        }
        return rows
    }

    // MARK: Snapshots

    /// Databases 1 to 14 keep snapshots in turn; they are copied by the server itself.
    func snapshot() async throws {
        lastSnapshot = lastSnapshot % 14 + 1
        _ = try await redis.eval(Self.copy, keys: [], arguments: ["0", String(lastSnapshot)])
        snapshots.append((now, lastSnapshot))
        if snapshots.count > 14 { snapshots.removeFirst() }
    }

    /// Everything is as it was in a snapshot.
    func restore(_ database: Int) async throws {
        _ = try await redis.eval(Self.copy, keys: [], arguments: [String(database), "0"])
    }

    private static let copy = RedisScript(
        name: "copy",
        source: """
            redis.call('SELECT', ARGV[2])
            redis.call('FLUSHDB')
            redis.call('SELECT', ARGV[1])
            for _, key in ipairs(redis.call('KEYS', '*')) do redis.call('COPY', key, key, 'DB', ARGV[2]) end
            return 0
            """)
}
