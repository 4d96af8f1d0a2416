// An organisation's books in a real Redis, at a time and on a server that the test decides.

import Ledger
import QuotaCore
import RedisClient
import TestSupport
import Testing
import TopologySupport

/// The books of the organisation `acme`, at 1,000 s into the first of its periods.
struct TestBooks: Sendable {
    static let organisation = "acme"
    /// Start of the first period, seconds.
    static let start: Int64 = 1_800_000_000
    /// Length of a period, seconds.
    static let length: Int64 = 2_592_000

    let redis: RedisClient
    private(set) var ledger: Ledger
    var organisation: String { Self.organisation }

    init(redis: RedisClient, server: String = "a1") {
        self.redis = redis
        ledger = Ledger(redis: redis, environment: .init(timeMilliseconds: Self.time(1000), runID: server))
    }

    /// The same books later: `seconds` into the first period.
    func later(_ seconds: Int64) -> TestBooks {
        var books = self
        books.ledger.environment.timeMilliseconds = Self.time(seconds)
        return books
    }

    /// The same books on a server that may have lost writes.
    func restarted(as server: String = "b2") -> TestBooks {
        var books = self
        books.ledger.environment.runID = server
        return books
    }

    private static func time(_ seconds: Int64) -> String { String((start + seconds) * 1000) }

    /// "START:END:ID,..." of these periods; their ids are m100, m101 ...
    static func periods(_ range: Range<Int64>) -> String {
        range.map { "\(start + $0 * length):\(start + ($0 + 1) * length):m\(100 + $0)" }.joined(separator: ",")
    }

    static func start(of period: Int64) -> Int64 { start + period * length }

    func key(_ name: String) -> String { Ledger.prefix(organisation) + name }

    func field(_ key: String, _ field: String) async throws -> String? {
        try await redis.send(["HGET", self.key(key), field]).string
    }

    /// A digest of everything that Redis holds.
    func digest() async throws -> String { try #require(try await redis.send(["DEBUG", "DIGEST"]).string) }

    /// Keeps a copy of all keys, as Redis has them now.
    func save() async throws {
        _ = try await redis.eval(Self.saving, keys: [], arguments: [])
    }

    /// Redis forgets what was written since the copy.
    func forget() async throws {
        _ = try await redis.eval(Self.forgetting, keys: [], arguments: [])
    }

    private static let saving = RedisScript(
        name: "save",
        source:
            "for _, k in ipairs(redis.call('KEYS', 'bursar:*')) do redis.call('COPY', k, 'saved:' .. k, 'REPLACE') end")
    private static let forgetting = RedisScript(
        name: "forget",
        source: """
            for _, k in ipairs(redis.call('KEYS', 'bursar:*')) do redis.call('DEL', k) end
            for _, k in ipairs(redis.call('KEYS', 'saved:*')) do redis.call('COPY', k, string.sub(k, 7)) end
            """)

    /// All entries of the stream, oldest first.
    func events() async throws -> [EventRow] {
        var all: [EventRow] = []
        var cursor: Int64 = 0
        while true {
            let page = try await ledger.events(after: cursor, limit: 1000, organisation: organisation)
            all += page.items
            guard !page.items.isEmpty, let next = page.next else { return all }
            cursor = next
        }
    }
}

extension TestBooks {
    /// A change of an id of its own.
    func change(_ id: String = RandomIdentifier.make(), expected: Int64? = nil) -> Change {
        Change(id: id, actor: "ada@example.com", reason: "because", expectedVersion: expected)
    }

    @discardableResult
    func create(_ change: Change? = nil) async throws -> Written {
        try await ledger.createOrganisation(
            OrganisationSettings(name: "Acme"), timeToLive: 3000, secrets: #"{"mac":"s1"}"#,
            rootRecord: #"{"name":"Acme"}"#, change: change ?? self.change("create"), organisation: organisation)
    }

    @discardableResult
    func account(_ id: String, under parent: String = organisation) async throws -> Written {
        try await ledger.putAccount(
            id, parent: parent, record: #"{"id":"\#(id)"}"#, change: change(), organisation: organisation)
    }

    /// The fields of a new monthly budget of 1,000 tokens with a block at 1.0.
    static let budgetFields: [(String, String)] = [
        ("record", #"{"amount":1000}"#), ("generation", "g1"), ("unit", "tokens"), ("amount", "1000"),
        ("steps", "8000:warn,10000:block"), ("every", "month"), ("periods", periods(0..<12)),
    ]

    /// Puts the budget `monthly`; `changes` replace what a new one has.
    @discardableResult
    func budget(
        _ account: String = organisation, _ name: String = "monthly", _ changes: [(String, String)] = [],
        change: Change? = nil
    ) async throws(LedgerError) -> Written {
        try await ledger.putBudget(
            account: account, name: name,
            fields: Self.budgetFields.filter { field in !changes.contains { $0.0 == field.0 } } + changes,
            change: change ?? self.change(), organisation: organisation)
    }

    /// Changes some fields of the budget `monthly` and keeps the others.
    @discardableResult
    func alter(_ fields: (String, String)..., change: Change? = nil) async throws(LedgerError) -> Written {
        try await ledger.putBudget(
            account: organisation, name: "monthly", fields: fields, change: change ?? self.change(),
            organisation: organisation)
    }

    /// Opens the book of a period and spends from it.
    func spend(_ amount: Int64, period: Int64 = 0, generation: String = "g1") async throws {
        _ = try await ledger.charge(
            id: RandomIdentifier.make(),
            parts: [
                SettlementPart(
                    key: .init(generation: generation, start: Self.start(of: period)), charge: amount, hold: 0)
            ], organisation: organisation)
    }

    func book(period: Int64 = 0, generation: String = "g1") async throws -> BookFigures {
        try #require(
            try await ledger.books(
                generation: generation, start: Self.start(of: period), organisation: organisation
            ).first)
    }
}

extension TestBooks {
    /// What a change publishes before the hint of its version. Not to be called within `#expect`, see ``refusal(_:)``.
    func news(of make: () async throws -> Written) async throws -> [String] {
        let channel = key("news")
        var pushes = redis.subscribe([channel]).makeAsyncIterator()
        #expect(await pushes.next() == .subscribed)
        let written = try await make()
        var news: [String] = []
        while let push = await pushes.next(), case .message(_, let payload) = push {
            if payload.split(separator: " ").prefix(2) == ["version", "\(written.version)"] { return news }
            news.append(payload)
        }
        throw Lost()
    }

    struct Lost: Error {}
}

/// Runs `body` on the books of a new organisation in a Redis of its own.
func withBooks(created: Bool = true, _ body: (TestBooks) async throws -> Void) async throws {
    try await withRedis { server in
        try await withClient(server.url) { client in
            let books = TestBooks(redis: client)
            if created { try await books.create() }
            try await body(books)
        }
    }
}

/// Why the ledger refused; nil when it did not. Not to be called within `#expect`: with Swift 6.3.1 a closure in the
/// macro's argument ran in the place of another one of the same type after it.
func refusal<T>(_ body: () async throws(LedgerError) -> T) async -> LedgerError.Code? {
    do throws(LedgerError) {
        _ = try await body()
        return nil
    } catch {
        return error.code
    }
}
