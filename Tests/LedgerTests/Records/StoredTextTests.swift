// Texts that only the books hold: written by one version, read by another.

import RedisClient
import Testing

@testable import Ledger

@Suite("Keys, adjustments, blocks, secrets and events in the books")
struct StoredTextTests {
    @Test("a key is kept with its times in milliseconds and the digest of its secret")
    func key() throws {
        let record = KeyRecord(
            id: "k1", account: "search", name: "ci", role: .proxy, principal: nil, defaultAccount: "web",
            createdMilliseconds: 1000, expiresMilliseconds: 2000, sha256: "ab")
        let json = """
            {"account":"search","created_at":1000,"default_account":"web","expires_at":2000,"id":"k1","name":"ci",\
            "role":"proxy","sha256":"ab"}
            """
        #expect(try RecordCoding.json(record) == json)
        #expect(try RecordCoding.decode(KeyRecord.self, from: json) == record)
        #expect(record.validate().isEmpty)
        #expect(KeyRole.allCases.map(\.rawValue) == ["proxy", "member", "head", "viewer", "admin"])
    }

    @Test("a key is valid until it expires or is revoked")
    func validity() {
        var record = KeyRecord(
            id: "k1", account: "a", name: "n", role: .member, createdMilliseconds: 0, expiresMilliseconds: 2000,
            sha256: "")
        #expect(record.isValid(at: 1999))
        #expect(!record.isValid(at: 2000))
        record.expiresMilliseconds = nil
        #expect(record.isValid(at: .max - 1))
        record.revokedMilliseconds = 1
        #expect(!record.isValid(at: 0))
    }

    @Test("only a proxy's key has a default account, and no key is born expired")
    func keyValidation() {
        let record = KeyRecord(
            id: "k1", account: "a", name: "", role: .head, principal: String(repeating: "p", count: 257),
            defaultAccount: "b", createdMilliseconds: 5, expiresMilliseconds: 5, sha256: "")
        #expect(record.validate().map(\.pointer) == ["/name", "/principal", "/default_account", "/expires_at"])
    }

    @Test(
        "an adjustment is written as numbers that scripts read, then its reason",
        arguments: [
            (AdjustmentExpiry.periodEnd, "period_end"), (.never, "never"), (.at(1_795_531_200_000), "1795531200000"),
        ])
    func adjustment(expires: AdjustmentExpiry, word: String) throws {
        let record = AdjustmentRecord(
            id: "a1", amount: -250, expires: expires, periodStart: 1_793_505_600, createdMilliseconds: 7,
            reason: "two words, \"quoted\"", actor: "ada")
        let text = try record.ledgerText()
        #expect(text == #"-250 \#(word) 1793505600 7 {"actor":"ada","reason":"two words, \"quoted\""}"#)
        #expect(try AdjustmentRecord(id: "a1", ledgerText: text) == record)
        #expect(try RecordCoding.decode(AdjustmentRecord.self, from: RecordCoding.json(record)) == record)
    }

    @Test("an adjustment changes something, says why and does not end before it begins")
    func adjustmentValidation() {
        func pointers(_ amount: Int64, _ expires: AdjustmentExpiry, _ reason: String) -> [String] {
            AdjustmentRecord(
                id: "a1", amount: amount, expires: expires, periodStart: 0, createdMilliseconds: 1000, reason: reason,
                actor: "ada"
            ).validate().map(\.pointer)
        }
        #expect(pointers(-1, .at(1001), "x").isEmpty)
        #expect(pointers(1 << 52, .never, "x").isEmpty)
        #expect(pointers(0, .at(1000), "") == ["/amount", "/reason", "/expires"])
        #expect(pointers((1 << 52) + 1, .never, "x") == ["/amount"])
        #expect(pointers(.min, .never, "a\u{2028}b") == ["/amount", "/reason"])
    }

    @Test(
        "any other text is no adjustment",
        arguments: [
            "", "1", "1 never 2 3", "x never 2 3 {}", "1 soon 2 3 {\"reason\":\"\",\"actor\":\"\"}",
            "1 never 2 3 {}", "1 -5 2 3 {\"reason\":\"\",\"actor\":\"\"}", "1  never 2 3 {}",
        ])
    func wrongAdjustment(text: String) {
        #expect(throws: LedgerError.self) { try AdjustmentRecord(id: "a", ledgerText: text) }
    }

    @Test("a block says why, by whom and when; an empty field is no block")
    func block() throws {
        let block = BlockRecord(reason: "runaway", actor: "ada", timeMilliseconds: 7)
        let json = #"{"actor":"ada","reason":"runaway","time_ms":7}"#
        #expect(try RecordCoding.json(block) == json)
        #expect(try BlockRecord.read(json) == block)
        #expect(try BlockRecord.read("") == nil)
        #expect(throws: LedgerError.self) { try BlockRecord.read("{}") }
        #expect(BlockRecord(reason: "", actor: "a", timeMilliseconds: 0).validate().map(\.pointer) == ["/reason"])
    }

    @Test("secrets are kept newest first, three at most")
    func secrets() throws {
        var secrets = OrganisationSecrets([])
        var made: [OrganisationSecret] = []
        for _ in 0..<4 {
            let secret = OrganisationSecret.generate()
            made.insert(secret, at: 0)
            secrets = secrets.rotated(to: secret)
        }
        #expect(secrets.list == Array(made.prefix(3)))
        #expect(secrets.newest == made[0])
        #expect(secrets.secret(id: made[2].id)?.key == made[2].key)
        #expect(secrets.secret(id: "none") == nil)
        #expect(try OrganisationSecrets(json: secrets.json()) == secrets)
        #expect(made.allSatisfy { $0.bytes?.count == 32 })
        #expect(Set(made.map(\.key)).count == 4)
    }

    @Test(
        "malformed secrets are refused",
        arguments: ["", "[]", "{}", #"[{"id":"a","key":"zz"}]"#, #"[{"id":"a","key":"00"}]"#, #"[{"id":"a"}]"#])
    func wrongSecrets(json: String) {
        #expect(throws: LedgerError.self) { try OrganisationSecrets(json: json) }
    }

    @Test("a secret that is printed does not show its key")
    func printing() {
        let secret = OrganisationSecret.generate()
        var dumped = ""
        dump(OrganisationSecrets([secret]), to: &dumped)
        for shown in ["\(secret)", String(reflecting: secret), "\(OrganisationSecrets([secret]))", dumped] {
            #expect(!shown.contains(secret.key))
            #expect(shown.contains(secret.id))
        }
    }

    static let entry: [(String, String)] = [
        ("kind", "budget.changed"), ("time_ms", "1795531200000"), ("actor", "ada"), ("change", "c1"),
        ("target", "/api/v1/accounts/a/budgets/b"), ("account", "a"), ("budget", "b"), ("generation", "g"),
        ("before", ""), ("after", "{}"), ("reason", "more"), ("key", "k1"),
    ]

    @Test("an event has its version from its id, and what it does not know in its other fields")
    func event() throws {
        let event = try #require(LedgerEvent(id: "42-0", fields: Self.entry))
        #expect(event.version == 42)
        #expect(event.kind == "budget.changed")
        #expect(event.timeMilliseconds == 1_795_531_200_000)
        #expect(event.actor == "ada" && event.change == "c1" && event.target == "/api/v1/accounts/a/budgets/b")
        #expect(event.account == "a" && event.budget == "b" && event.generation == "g")
        #expect(event.before == nil && event.after == "{}" && event.reason == "more")
        #expect(event.fields == ["key": "k1"])
        #expect(try RecordCoding.decode(LedgerEvent.self, from: RecordCoding.json(event)) == event)
    }

    @Test("an event is read from the answer of a range")
    func range() {
        func bulk(_ text: String) -> RESPValue { .bulk(Array(text.utf8)) }
        let flat = Self.entry.flatMap { [bulk($0.0), bulk($0.1)] }
        #expect(
            LedgerEvent(.array([bulk("42-0"), .array(flat)])) == LedgerEvent(id: "42-0", fields: Self.entry))
        #expect(LedgerEvent(.array([bulk("42-0"), .array(flat.dropLast())])) == nil)
        #expect(LedgerEvent(.null) == nil)
    }

    @Test(
        "an entry without a version, a kind or a time is no event",
        arguments: ["", "42", "42-1", "x-0", "-1-0", "0-0"])
    func wrongEvents(id: String) {
        #expect(LedgerEvent(id: id, fields: Self.entry) == nil)
        #expect(LedgerEvent(id: "1-0", fields: [("kind", "x")]) == nil)
        #expect(LedgerEvent(id: "1-0", fields: [("time_ms", "1")]) == nil)
        #expect(LedgerEvent(id: "1-0", fields: [("kind", "x"), ("time_ms", "soon")]) == nil)
    }
}
