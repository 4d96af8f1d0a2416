// Where tests speak to the books as nodes do: one line a message, and the sums of all books checked after each.

@testable import Ledger
@testable import QuotaCore
import RedisClient
import Testing

/// The nodes' side of the test's books. Every call is followed by a check of G1 on all books of the test.
final class Desk {
    static let key = LeaseKey(generation: "g1", start: TestBooks.start)

    let books: TestBooks
    /// Ledger time, ms.
    var now = (TestBooks.start + 1000) * 1000
    var server = "a1"
    /// What grants and settlements must have reached, and how long a call may take.
    var durability = Durability.relaxed
    var timeout: Duration?
    /// Generations whose books are checked after every call.
    var generations = ["g1"]
    private var histories = 0
    private(set) var numbers: [String: Int64] = [:]
    /// What each session knows of the books: history and seq.
    var known: [String: (history: String, seq: Int64)] = [:]
    /// What each session reports of its leases.
    var reports: [String: [LeaseKey: LeaseReport]] = [:]

    init(_ books: TestBooks) { self.books = books }

    var ledger: Ledger {
        histories += 1
        let next = "h\(histories)"
        return Ledger(
            redis: books.redis,
            environment: .init(timeMilliseconds: String(now), runID: server, nextHistory: { next }))
    }

    /// Sends a message with the next number and what the session knows, unless told otherwise.
    @discardableResult
    func exchange(
        _ session: String, number: Int64? = nil, knowing: (history: String, seq: Int64)? = nil, goodbye: Bool = false,
        next: Int64 = 0, opened: [Int64] = [], closed: [Int64] = [], expired: [Int64] = [], parked: [ParkedHold] = [],
        _ leases: [LeaseReport] = [], groups: [[Need]] = []
    ) async throws -> ExchangeAnswer {
        let number = number ?? (numbers[session, default: 0] + 1)
        numbers[session] = max(numbers[session, default: 0], number)
        let knowing = knowing ?? known[session] ?? ("", 0)
        let message = ExchangeMessage(
            session: session, number: number, history: knowing.history, seq: knowing.seq, rulesVersion: 1,
            goodbye: goodbye, next: next, opened: opened, closed: closed, expired: expired, parked: parked,
            leases: leases, groups: groups)
        let answer = try await ledger.exchange(
            message, origin: .init(node: "n", advertise: ""), organisation: TestBooks.organisation,
            durability: durability, timeout: timeout)
        known[session] = (answer.history, answer.seq)
        for report in leases { reports[session, default: [:]][report.key] = report }
        for lease in answer.leases { reports[session]?[lease.key]?.granted = lease.granted }
        try await check()
        return answer
    }

    /// What the session would report of a lease now.
    func report(_ session: String, _ key: LeaseKey = Desk.key) -> LeaseReport {
        reports[session]?[key]
            ?? LeaseReport(key: key, granted: 0, used: 0, returned: 0, want: 0, demand: 0, answered: 0)
    }

    /// Reports one lease, changed as given, and asks for `need` of it.
    @discardableResult
    func tell(
        _ session: String, _ key: LeaseKey = Desk.key, used: Int64? = nil, returned: Int64? = nil, want: Int64 = 0,
        demand: Int64 = 0, answered: Int64 = 0, need: Int64? = nil, level: Int = 0, token: Bool = false
    ) async throws -> (lease: LeaseAnswer, verdict: GroupAnswer?, answer: ExchangeAnswer) {
        var report = report(session, key)
        report.used = used ?? report.used
        report.returned = returned ?? report.returned
        (report.want, report.demand, report.answered) = (want, demand, answered)
        let groups = need.map { [[Need(key: key, amount: $0, level: level, token: token)]] } ?? []
        let answer = try await exchange(session, [report], groups: groups)
        return (try #require(answer.leases.first), answer.groups.first, answer)
    }

    /// The verdict on a need once the recall round that it may have begun is over, 50 ms later without an answer.
    func verdict(
        _ session: String, _ key: LeaseKey = Desk.key, need: Int64, level: Int = 0, token: Bool = false
    ) async throws -> GroupAnswer? {
        let first = try await tell(session, key, need: need, level: level, token: token).verdict
        guard first == .wait else { return first }
        now += 50
        return try await tell(session, key, need: need, level: level, token: token).verdict
    }

    func settle(
        _ session: String, _ number: Int64, charge: Int64, hold: Int64, key: LeaseKey = Desk.key
    ) async throws -> LedgerSettlement {
        let parts = [SettlementPart(key: key, charge: charge, hold: hold)]
        let outcome = try await ledger.settle(
            session: session, number: number, parts: parts, organisation: TestBooks.organisation
        ).outcome
        try await check()
        return outcome
    }

    func charge(_ id: String, _ amount: Int64, key: LeaseKey = Desk.key) async throws -> Bool {
        let first = try await ledger.charge(
            id: id, parts: [SettlementPart(key: key, charge: amount, hold: 0)], organisation: TestBooks.organisation)
        try await check()
        return first
    }

    func figures(_ key: LeaseKey = Desk.key) async throws -> BookFigures {
        try #require(
            try await ledger.books(generation: key.generation, start: key.start, organisation: TestBooks.organisation)
                .first)
    }

    /// G1: the figures of every book add up, also when made anew from its leases.
    func check() async throws {
        for generation in generations {
            for book in try await ledger.books(generation: generation, limit: 9, organisation: TestBooks.organisation) {
                #expect(book.violations == [], "\(generation) \(book.start)")
            }
        }
    }

    /// The row of a session in a book: granted, used, returned, booked.
    func row(_ session: String, _ key: LeaseKey = Desk.key) async throws -> [Int64] {
        let name = books.key("leases:\(key.generation):\(key.start)")
        let text = try await books.redis.send(["HGET", name, session]).string ?? ""
        return text.split(separator: " ").prefix(4).compactMap { Int64($0) }
    }

    func events(_ kind: String) async throws -> Int { try await books.events().filter { $0.kind == kind }.count }

    static func parked(_ number: Int64, at expiry: Int64, _ amount: Int64, charges: Bool = true) -> ParkedHold {
        ParkedHold(number: number, expiresAt: expiry, charges: charges, parts: [.init(key: key, amount: amount)])
    }
}

/// Runs `body` at a desk before the books of one budget, 1,000 tokens unless `fields` say otherwise.
func withDesk(_ fields: [(String, String)] = [("steps", "10000:block")], _ body: (Desk) async throws -> Void)
    async throws
{
    try await withBooks { books in
        try await books.budget(TestBooks.organisation, "monthly", fields)
        try await body(Desk(books))
    }
}
