// Organisations and accounts as the console shows them.

import QuotaCore
import Testing

@testable import Ledger

@Suite("Organisations and accounts")
struct OrganisationRecordTests {
    @Test("an organisation is named by its id, in UTC, relaxed, and refuses unpriced models unless it says otherwise")
    func defaults() throws {
        let record = try RecordCoding.decode(OrganisationRecord.self, from: #"{"id":"default"}"#)
        #expect(record == OrganisationRecord(id: "default"))
        #expect(
            try RecordCoding.json(record)
                == #"{"durability":"relaxed","id":"default","name":"default","timezone":"UTC","unpriced":"deny"}"#)
        #expect(record.validate().isEmpty)
    }

    @Test("durability and the rule for unpriced models are a few words")
    func words() throws {
        for word in ["relaxed", "replica", "replica:2", "replica:9", "disk"] {
            let json = #"{"id":"a","durability":"\#(word)"}"#
            #expect(try RecordCoding.decode(OrganisationRecord.self, from: json).durability.rawValue == word)
        }
        #expect(Durability(rawValue: "replica:1") == .replicas(1))
        for word in ["", "Relaxed", "replica:", "replica:0", "replica:10", "replica:x", "replicas", "disk:1"] {
            #expect(Durability(rawValue: word) == nil, "\(word)")
        }
        for json in [#"{"id":"a","durability":"strong"}"#, #"{"id":"a","unpriced":"maybe"}"#, #"{"name":"a"}"#] {
            #expect(throws: LedgerError.self) { try RecordCoding.decode(OrganisationRecord.self, from: json) }
        }
    }

    @Test("an organisation has a valid id, a name of one line and a zone that exists")
    func validation() {
        let wrong = OrganisationRecord(id: "_", name: "a\u{0}b", timezone: "PST")
        #expect(wrong.validate().map(\.pointer) == ["/id", "/name", "/timezone"])
    }

    static let account = """
        {"cost_centre":"4711","heads":[{"email":"ada@example.com","name":"Ada"}],"kind":"department",\
        "labels":{"a/b":"c"},"models":{"allow":["gpt-4o*"]},"name":"Engineering","overcommit":true,\
        "parent":"default"}
        """

    @Test("an account is read and written as in the contract")
    func accountJSON() throws {
        let record = try RecordCoding.decode(AccountRecord.self, from: Self.account)
        #expect(record.heads == [AccountHead(name: "Ada", email: "ada@example.com")])
        #expect(record.costCentre == "4711")
        #expect(record.models?.allow == ["gpt-4o*"])
        #expect(record.validate().isEmpty)
        #expect(try RecordCoding.json(record) == Self.account)
        #expect(
            Set(AccountRecord.knownKeys) == [
                "name", "parent", "kind", "heads", "cost_centre", "labels", "models", "overcommit",
            ])
    }

    @Test("what an account leaves out stays left out, and its name is its id")
    func accountDefaults() throws {
        let record = try RecordCoding.decode(AccountRecord.self, from: "{}")
        #expect(try RecordCoding.json(record) == "{}")
        #expect(record.withDefaults(id: "search").name == "search")
        #expect(record.validate().isEmpty)
    }

    @Test("an account's texts are short and of one line, its lists bounded")
    func accountValidation() {
        let long = String(repeating: "x", count: 300)
        let record = AccountRecord(
            name: " ", parent: "Not An Id", kind: long, heads: [AccountHead(name: "", email: "nobody")],
            costCentre: "a\nb", labels: ["a/b~c": long, "": "x", "fine": ""],
            models: ModelRule(allow: ["gpt", ""]))
        #expect(
            record.validate().map(\.pointer) == [
                "/name", "/parent", "/kind", "/cost_centre", "/heads/0/name", "/heads/0/email", "/labels/",
                "/labels/a~1b~0c", "/models/allow/1",
            ])
        let labels = Dictionary(uniqueKeysWithValues: (0..<65).map { ("l\($0)", "") })
        let many = AccountRecord(
            heads: Array(repeating: AccountHead(name: "a", email: "a@b"), count: 33), labels: labels,
            models: ModelRule(allow: Array(repeating: "m", count: 257)))
        #expect(many.validate().map(\.pointer) == ["/heads", "/labels", "/models/allow"])
    }

    @Test("an account is no larger than the books take")
    func accountSize() {
        let pattern = String(repeating: "\"", count: 256)
        let record = AccountRecord(models: ModelRule(allow: Array(repeating: pattern, count: 256)))
        #expect(record.validate().map(\.pointer) == [""])
    }

    @Test(
        "an address has one @ and nothing that could end a line of a message",
        arguments: [
            "", "@", "a@", "@b", "a@b@c", "a b@c", "a@b\r\nBcc:x@y", "<a@b>", String(repeating: "a", count: 253) + "@b",
        ])
    func addresses(email: String) {
        let record = AccountRecord(heads: [AccountHead(name: "Ada", email: email)])
        #expect(record.validate().map(\.pointer) == ["/heads/0/email"])
    }
}
