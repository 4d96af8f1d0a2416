// The exchange as a typed command: a session's message to the books and their answer.

import QuotaCore
import RedisClient

extension LedgerScript {
    static let exchange = assemble("exchange", PackageResources.exchange_lua)
}

extension Ledger {
    /// Where a session lives, told with every message.
    package struct Origin: Sendable, Hashable {
        package var node: String
        /// Address at which other nodes reach this one; empty when they cannot.
        package var advertise: String

        package init(node: String, advertise: String) {
            self.node = node
            self.advertise = advertise
        }
    }

    /// Sends one message. A repeat is answered, not applied. When what it granted has not reached what `durability` asks
    /// for, it fails as unanswered: the grant stays booked, and the next answer shows it.
    package func exchange(
        _ message: ExchangeMessage, origin: Origin, organisation: String, durability: Durability = .relaxed,
        timeout: Duration? = nil
    ) async throws(LedgerError) -> ExchangeAnswer {
        let reply = try await run(
            LedgerScript.exchange, organisation: organisation, message.arguments(origin), durability: durability,
            timeout: timeout)
        return try ExchangeAnswer(reply, asked: message)
    }
}

extension ExchangeMessage {
    /// The message as ARGV[4...] of `exchange.lua`.
    func arguments(_ origin: Ledger.Origin) -> [String] {
        var list = [
            session, String(number), history, String(seq), String(rulesVersion), goodbye ? "1" : "0", String(next),
            opened.map(String.init).joined(separator: ","), closed.map(String.init).joined(separator: ","),
            expired.map(String.init).joined(separator: ","),
            origin.node, origin.advertise,
        ]
        list.append(String(parked.count))
        for hold in parked {
            list.append(String(hold.number))
            list.append(String(hold.expiresAt))
            let parts = hold.parts.map { "\($0.key.generation):\($0.key.start):0:\($0.amount)" }
            list.append((hold.charges ? "c|" : "r|") + parts.joined(separator: " "))
        }
        var place: [LeaseKey: Int] = [:]
        list.append(String(leases.count))
        for (index, lease) in leases.enumerated() {
            place[lease.key] = index + 1
            list.append(lease.key.generation)
            for value in [
                lease.key.start, lease.granted, lease.used, lease.returned, lease.want, lease.demand, lease.answered,
            ] { list.append(String(value)) }
        }
        list.append(String(groups.count))
        for group in groups {
            list.append(String(group.count))
            for need in group {
                list.append(String(place[need.key] ?? 0))
                list.append(String(need.amount))
                list.append(String(need.level))
                list.append(need.token ? "1" : "0")
            }
        }
        return list
    }
}

extension ExchangeAnswer {
    /// Reads the script's result. Throws `.unexpectedAnswer` when it is not what the script promises.
    init(_ reply: RESPValue, asked: ExchangeMessage) throws(LedgerError) {
        guard let list = reply.array, list.count == 12, let history = list[1].string,
            let inbox = list[9].array, let leases = list[10].array, let groups = list[11].array,
            leases.count == asked.leases.count
        else { throw LedgerError.unexpected("exchange", reply) }
        func integer(_ index: Int) throws(LedgerError) -> Int64 {
            guard let value = list[index].int else { throw LedgerError.unexpected("exchange", reply) }
            return value
        }
        var entries: [InboxEntry] = []
        for index in stride(from: 0, to: inbox.count - 1, by: 2) {
            guard let number = inbox[index].int, let text = inbox[index + 1].string else { continue }
            entries.append(InboxEntry(number: number, parts: Self.parts(text)))
        }
        var answers: [LeaseAnswer] = []
        for (report, text) in zip(asked.leases, leases) {
            guard let text = text.string, let answer = LeaseAnswer(key: report.key, text) else {
                throw LedgerError.unexpected("exchange", reply)
            }
            answers.append(answer)
        }
        self.init(
            now: try integer(0), history: history, seq: try integer(2), rulesVersion: try integer(3),
            timeToLive: try integer(4), recoveringUntil: try integer(5), sessions: try integer(6),
            over: try integer(7) == 1, ended: try integer(8) == 1, inbox: entries, leases: answers,
            groups: groups.enumerated().map { GroupAnswer($1.string ?? "", asked: asked, group: $0) })
    }

    /// "FLAGS|G:START:CHARGE:HOLD ..."
    static func parts(_ text: String) -> [InboxEntry.Part] {
        let list = text.split(separator: "|", maxSplits: 1, omittingEmptySubsequences: false).last ?? ""
        return list.split(separator: " ").compactMap { item in
            let fields = item.split(separator: ":")
            guard fields.count == 4, let start = Int64(fields[1]), let charge = Int64(fields[2]) else { return nil }
            return InboxEntry.Part(key: LeaseKey(generation: String(fields[0]), start: start), charge: charge)
        }
    }
}

extension LeaseAnswer {
    /// "granted|committed|spent|doubt|allowance|limit|ceilings|slack|recall|floors|end|reached|mode"
    init?(key: LeaseKey, _ text: String) {
        let fields = text.split(separator: "|", omittingEmptySubsequences: false)
        guard fields.count == 13 else { return nil }
        func number(_ index: Int) -> Int64? { Int64(fields[index]) }
        guard let granted = number(0), let committed = number(1), let spent = number(2), let doubt = number(3),
            let allowance = number(4), let limit = number(5), let slack = number(7), let recall = number(8),
            let end = number(10), let reached = number(11)
        else { return nil }
        var floors: [Int: Int64] = [:]
        for item in fields[9].split(separator: ",") {
            let pair = item.split(separator: "=")
            guard pair.count == 2, let level = Int(pair[0]), let amount = Int64(pair[1]) else { return nil }
            floors[level] = amount
        }
        self.init(
            key: key, granted: granted, committed: committed, spent: spent, doubt: doubt, allowance: allowance,
            limit: limit, ceilings: Self.ceilings(fields[6]), slack: slack, recall: recall, floors: floors, end: end,
            reached: Int(reached))
    }

    /// "AMOUNT:KIND:RATE,..."
    static func ceilings(_ text: Substring) -> [Ceiling] {
        text.split(separator: ",").compactMap { item in
            let fields = item.split(separator: ":", omittingEmptySubsequences: false)
            guard fields.count == 3, let amount = Int64(fields[0]), let kind = StepKind(rawValue: String(fields[1]))
            else { return nil }
            return Ceiling(amount: amount, kind: kind, rate: Int64(fields[2]))
        }
    }
}

extension GroupAnswer {
    init(_ text: String, asked: ExchangeMessage, group: Int) {
        let fields = text.split(separator: ":", maxSplits: 1)
        let rest = fields.count > 1 ? fields[1] : ""
        switch fields.first {
        case "granted": self = .granted
        case "refused":
            self = .refused(
                rest.split(separator: ",").compactMap { Int($0) }.filter { $0 >= 1 && $0 <= asked.leases.count }
                    .map { asked.leases[$0 - 1].key })
        case "throttled": self = .throttled(milliseconds: Int64(rest) ?? 1000)
        case "recovering": self = .recovering
        case "closed": self = .closed
        default: self = .wait
        }
    }
}

extension LedgerError {
    static func unexpected(_ script: String, _ reply: RESPValue) -> LedgerError {
        LedgerError(.unexpectedAnswer, "\(script) answered \(String(describing: reply).prefix(200))")
    }
}
