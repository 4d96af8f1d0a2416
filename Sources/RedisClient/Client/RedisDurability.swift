// What a write must have reached before it counts. Redis acknowledges by itself what is in one server's memory; all
// else is asked for behind the write, on its own connection: WAIT speaks of the writes of the connection it comes on.

import Synchronization

/// What the effects of a script must have reached before its reply counts.
package enum RedisDurability: Sendable, Hashable {
    /// The primary's memory.
    case memory
    /// So many replicas, acknowledged within this time of the script's end (WAIT).
    case replicas(Int, within: Duration)
    /// The primary's disk: WAITAOF where the server has it (7.2), else only if it syncs its append-only file before
    /// every reply.
    case disk(within: Duration)

    /// The same, for a request with less time.
    func within(_ limit: Duration) -> RedisDurability {
        switch self {
        case .memory: .memory
        case .replicas(let count, let own): .replicas(count, within: min(own, limit))
        case .disk(let own): .disk(within: min(own, limit))
        }
    }
}

/// Asks behind a script whether its effects have reached what they must, and judges the answers.
struct DurabilityCheck: Sendable {
    let durability: RedisDurability
    /// Whether the server is thought to know WAITAOF.
    let asksForAOF: Bool

    /// The commands to send behind the script, on its connection.
    var commands: [[String]] {
        switch durability {
        case .memory: []
        case .replicas(let count, let limit): [["WAIT", String(count), Self.milliseconds(limit)]]
        case .disk(let limit):
            // The settings are asked for every time: a failover may have led to a server with others.
            asksForAOF
                ? [["WAITAOF", "1", "0", Self.milliseconds(limit)], ["CONFIG", "GET", "*append*"]]
                : [["CONFIG", "GET", "*append*"]]
        }
    }

    /// - Returns: why the effects don't count, nil when they do.
    func objection(_ replies: [RESPValue]) -> String? {
        switch durability {
        case .memory: return nil
        case .replicas(let count, _):
            guard let reached = replies.first?.int else { return "WAIT was not answered: \(replies)" }
            return reached >= count ? nil : "\(reached) of \(count) replicas acknowledged in time"
        case .disk:
            if asksForAOF, let answer = replies.first, !Self.isUnknown(answer) {
                guard let reached = answer.array?.first?.int else { return "WAITAOF was not answered: \(answer)" }
                return reached >= 1 ? nil : "the append-only file was not synced in time"
            }
            return Self.settingsObjection(replies.last)
        }
    }

    /// Whether the server has just said that it does not know WAITAOF.
    func learnsOfNoAOF(_ replies: [RESPValue]) -> Bool { asksForAOF && replies.first.map(Self.isUnknown) ?? false }

    private static func isUnknown(_ reply: RESPValue) -> Bool {
        if case .error(let text) = reply { return text.hasPrefix("ERR unknown command") }
        return false
    }

    private static func settingsObjection(_ reply: RESPValue?) -> String? {
        guard let list = reply?.array else { return "CONFIG GET was not answered: \(reply ?? .null)" }
        var values: [String: String] = [:]
        for index in stride(from: 0, to: list.count - 1, by: 2) {
            if let name = list[index].string { values[name] = list[index + 1].string }
        }
        for (name, wanted) in [("appendonly", "yes"), ("appendfsync", "always"), ("no-appendfsync-on-rewrite", "no")]
        where values[name] != wanted {
            return "the server does not sync every write: \(name) is \(values[name] ?? "unknown"), not \(wanted)"
        }
        return nil
    }

    /// At least 1: 0 would wait for ever.
    private static func milliseconds(_ duration: Duration) -> String {
        String(max(1, Int64(duration / .milliseconds(1))))
    }
}
