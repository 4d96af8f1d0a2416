// Where records meet scripts: each has rules of its own for what it takes, and what passes the first must pass the second.

import Foundation
import Ledger
import QuotaCore
import TestSupport
import Testing

@Suite("Records in the books", .timeLimit(.minutes(2)))
struct RecordsInBooksTests {
    private static let now = TestBooks.start + 1000

    @Test(
        "A budget that passes validation is taken, means the same in the books, and is read as it was",
        arguments: 1...8 as ClosedRange<UInt64>)
    func budgets(_ seed: UInt64) async throws {
        try await withBooks { books async throws in
            var random = SplitMix(seed: seed)
            for number in 0..<40 {
                let record = try AnyBudget.make(&random)
                try await check(record, "g\(number)", books, Comment(rawValue: try RecordCoding.json(record)))
            }
        }
    }

    private func check(
        _ record: BudgetRecord, _ generation: String, _ books: TestBooks, _ comment: Comment
    ) async throws {
        let periods = record.period.upcoming(from: Self.now, count: 16)
        let fields = try record.ledgerFields(generation: generation, periods: periods)
        _ = try await books.ledger.putBudget(
            account: "acme", name: "b", fields: fields, change: books.change(), organisation: "acme")
        let row = try await books.ledger.budget(account: "acme", name: "b", organisation: "acme")
        #expect(try RecordCoding.decode(BudgetRecord.self, from: row.record) == record, comment)
        #expect(try Amount.parse(record.amount.text, unit: record.unit) == row.amount, comment)
        #expect(try OutageRule(ledgerText: row.outage) == record.outageRule(), comment)
        for period in periods.prefix(3) { try await check(record, row, period, books, comment) }
        if !row.periods.isEmpty, let last = periods.last {
            let more = BudgetRecord.ledgerText(
                record.period.upcoming(from: last.end, count: 16), every: record.period.every)
            _ = try await books.ledger.extendPeriods(
                account: "acme", name: "b", periods: more, change: books.change(), organisation: "acme")
            let extended = try await books.ledger.budget(account: "acme", name: "b", organisation: "acme")
            #expect(extended.periods == row.periods + "," + more, comment)
        }
        _ = try await books.ledger.deleteBudget(
            account: "acme", name: "b", change: books.change(), organisation: "acme")
    }

    /// The script's figures for a period against those that the same rule has in Swift.
    private func check(
        _ record: BudgetRecord, _ row: BudgetRow, _ period: Period, _ books: TestBooks, _ comment: Comment
    ) async throws {
        let key = LeaseKey(generation: row.generation, start: period.start)
        _ = try await books.ledger.charge(
            id: RandomIdentifier.make(), parts: [SettlementPart(key: key, charge: 1, hold: 0)], organisation: "acme")
        let book = try #require(
            try await books.ledger.books(generation: row.generation, start: period.start, organisation: "acme").first)
        var amount = row.amount
        if let next = row.nextAmount, period.id >= row.nextFrom { amount = next }
        #expect([book.end, book.allowance, book.amount, book.spent] == [period.end, amount, amount, 1], comment)
        let ceilings = try record.ladderSteps().filter { $0.kind != .warn && record.mode == .enforce }.map { step in
            "\(step.amount(of: amount)):\(step.kind.rawValue):\(step.rate.map { String($0) } ?? "")"
        }
        #expect(book.ceilings == ceilings.joined(separator: ","), comment)
        #expect(book.violations == [], comment)
    }

    @Test("Every zone that a budget may have, an organisation may have, and every word that its record knows")
    func organisations() async throws {
        try await withBooks { books async throws in
            let zones = (["UTC", "Etc/GMT+12"] + TimeZone.knownTimeZoneIdentifiers).filter { zone in
                OrganisationRecord(id: "acme", timezone: zone).validate().isEmpty
            }
            #expect(zones.count > 400 && zones.contains("Etc/GMT+12"))
            for (index, zone) in zones.enumerated() {
                let settings = OrganisationSettings(
                    name: String(repeating: "\"", count: 200), timezone: zone,
                    durability: [Durability.relaxed, .replicas(1), .replicas(9), .disk][index % 4].rawValue,
                    unpriced: UnpricedRule.allCases[index % UnpricedRule.allCases.count].rawValue)
                _ = try await books.ledger.updateOrganisation(settings, change: books.change(), organisation: "acme")
                #expect(try await books.ledger.organisation("acme").settings == settings)
            }
        }
    }

    @Test("The largest account that passes validation is taken, one larger by a byte passes neither")
    func accounts() async throws {
        try await withBooks { books async throws in
            let labels = Dictionary(uniqueKeysWithValues: (0..<12).map { ("l\($0)", "") })
            var account = AccountRecord(name: "Search", parent: "acme", labels: labels)
            account.models = ModelRule(allow: Array(repeating: String(repeating: "m", count: 250), count: 250))
            var room = 65_536 - (try RecordCoding.json(account)).utf8.count
            for label in labels.keys.sorted() {
                let length = min(256, room)
                account.labels?[label] = String(repeating: "x", count: length)
                room -= length
            }
            let largest = try RecordCoding.json(account)
            #expect(largest.utf8.count == 65_536)
            #expect(account.validate().isEmpty)
            _ = try await books.ledger.putAccount(
                "search", parent: "acme", record: largest, change: books.change(), organisation: "acme")
            let row = try await books.ledger.account("search", organisation: "acme")
            #expect(try RecordCoding.decode(AccountRecord.self, from: row.record) == account)

            account.name = "Search!"
            let larger = try RecordCoding.json(account)
            #expect(account.validate().map(\.pointer) == [""])
            let code = await refusal { () throws(LedgerError) in
                try await books.ledger.putAccount(
                    "search", parent: "acme", record: larger, change: books.change(), organisation: "acme")
            }
            #expect(code == .invalid(pointer: "/record"))
        }
    }

    /// As long in JSON as a text of so many bytes becomes.
    private func quotes(_ count: Int) -> String { String(repeating: "\"", count: count) }

    @Test("The longest reasons that pass validation are taken and come back letter by letter")
    func reasons() async throws {
        try await withBooks { books async throws in
            try await books.budget()
            let (ledger, now) = (books.ledger, Self.now * 1000)
            let block = BlockRecord(reason: quotes(1000), actor: quotes(256), timeMilliseconds: now)
            #expect(block.validate().isEmpty)
            var change = books.change()
            change.actor = quotes(256)
            change.reason = quotes(1000)
            _ = try await ledger.putBlock(
                account: "acme", block: try RecordCoding.json(block), change: change, organisation: "acme")
            #expect(try BlockRecord.read(try await ledger.account("acme", organisation: "acme").block) == block)

            let adjustment = AdjustmentRecord(
                id: "a1", amount: -1, expires: .at(now + 1), periodStart: TestBooks.start, createdMilliseconds: now,
                reason: quotes(1000), actor: quotes(256))
            #expect(adjustment.validate().isEmpty)
            change.id = "change-2"
            _ = try await ledger.putAdjustment(
                account: "acme", budget: "monthly", id: "a1", amount: -1, expires: .at(now + 1),
                periodStart: TestBooks.start,
                record: try RecordCoding.json(["reason": adjustment.reason, "actor": adjustment.actor]), change: change,
                organisation: "acme")
            let stored = try #require(try await books.field("adjustments:g1", "a1"))
            #expect(try AdjustmentRecord(id: "a1", ledgerText: stored) == adjustment)
        }
    }

    @Test("A key that was made is found by its id and known by its digest, through rotation and revocation")
    func keys() async throws {
        try await withBooks { books async throws in
            let (ledger, now) = (books.ledger, Self.now * 1000)
            func record(_ key: APIKey, revoked: Int64? = nil) throws -> String {
                let record = KeyRecord(
                    id: key.id, account: "acme", name: quotes(200), role: .proxy, principal: quotes(256),
                    defaultAccount: "acme", createdMilliseconds: now, revokedMilliseconds: revoked,
                    sha256: key.sha256Hex)
                #expect(record.validate().isEmpty)
                return try RecordCoding.json(record)
            }
            func stored(_ text: String) async throws -> KeyRecord {
                let key = try #require(APIKey(parsing: text))
                let row = try await ledger.key(key.id, organisation: key.organisation)
                let record = try RecordCoding.decode(KeyRecord.self, from: row.record)
                #expect(key.matches(sha256Hex: record.sha256))
                #expect(record.revokedMilliseconds == row.revokedAt)
                return record
            }
            let (first, firstText) = APIKey.generate(organisation: "acme")
            let (second, secondText) = APIKey.generate(organisation: "acme")
            _ = try await ledger.putKey(
                first.id, account: "acme", record: try record(first), change: books.change(), organisation: "acme")
            #expect(try await stored(firstText).isValid(at: now))
            _ = try await ledger.rotateKey(
                first.id, to: second.id, record: try record(second), oldRecord: try record(first, revoked: now),
                change: books.change(), organisation: "acme")
            #expect(try await !stored(firstText).isValid(at: now))
            #expect(try await stored(secondText).isValid(at: now))
            _ = try await ledger.revokeKey(
                second.id, record: try record(second, revoked: now), change: books.change(), organisation: "acme")
            #expect(try await !stored(secondText).isValid(at: now))
        }
    }

    @Test("Secrets are rotated with overlap: what the one before has signed is still found, until two more came")
    func secrets() async throws {
        try await withBooks { books async throws in
            let ledger = books.ledger
            let first = OrganisationSecret.generate()
            var secrets = OrganisationSecrets([first])
            for rotation in 0...3 {
                if rotation > 0 { secrets = secrets.rotated() }
                let before = try await ledger.organisation("acme").secretsVersion
                _ = try await ledger.putSecrets(
                    try secrets.json(), change: books.change(expected: before), organisation: "acme")
                let stored = try OrganisationSecrets(json: try await ledger.organisation("acme").secrets)
                #expect(stored == secrets)
                #expect((stored.secret(id: first.id) == first) == (rotation <= 2))
                // Whoever rotated at the same time is told, and does not drop a secret that is in use.
                let code = await refusal { () throws(LedgerError) in
                    try await ledger.putSecrets("[]", change: books.change(expected: before), organisation: "acme")
                }
                #expect(code == .precondition)
            }
        }
    }
}
