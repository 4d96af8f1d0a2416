// organisation_create, organisation_update, secrets_put, organisation_get.

import Ledger
import RedisClient
import Testing

@Suite("Organisations", .timeLimit(.minutes(1)))
struct OrganisationScriptTests {
    @Test("A new organisation has books, settings, secrets and a root account of its own name")
    func created() async throws {
        try await withBooks { books async throws in
            let row = try await books.ledger.organisation("acme")
            #expect(row.id == "acme")
            #expect(row.settings == OrganisationSettings(name: "Acme"))
            #expect([row.version, row.secretsVersion, row.booksVersion, row.seq] == [1, 1, 1, 1])
            #expect(row.createdAt == (TestBooks.start + 1000) * 1000)
            #expect([row.timeToLive, row.recoveringUntil, row.clockBehind] == [3000, 0, 0])
            #expect(row.secrets == #"{"mac":"s1"}"#)
            let root = try await books.ledger.account("acme", organisation: "acme")
            #expect(root.record == #"{"name":"Acme"}"#)
            #expect([root.parent, root.block] == ["", ""])
            #expect(root.version == 1)
            #expect(!root.archived)
            #expect(try await books.ledger.organisations() == ["acme"])
        }
    }

    @Test("Its first audit entry is its creation, without the secrets")
    func audited() async throws {
        try await withBooks { books async throws in
            let entries = try await books.events()
            #expect(entries.map(\.kind) == ["organisation.created"])
            #expect(
                entries.first?.after == #"{"name":"Acme","timezone":"UTC","durability":"relaxed","unpriced":"deny"}"#)
            _ = try await books.ledger.putSecrets(#"{"mac":"hush"}"#, change: books.change(), organisation: "acme")
            let stream = try await books.redis.send(["XRANGE", books.key("events"), "-", "+"])
            #expect(!String(describing: stream).contains("hush"))
            #expect(!String(describing: stream).contains("s1"))
            let row = try await books.ledger.organisation("acme")
            #expect(row.secrets == #"{"mac":"hush"}"#)
            #expect(!"\(row)".contains("hush"))
            #expect(row.secretsVersion == 2)
            #expect(row.version == 1)
        }
    }

    @Test("It is made once: a repeat is answered, another change is refused")
    func once() async throws {
        try await withBooks { books async throws in
            let digest = try await books.digest()
            #expect(try await books.create(books.change("create")) == Written(version: 1, replayed: true))
            let ledger = books.ledger
            for (expected, code) in [(nil, .conflict), (0, .precondition), (1, .conflict), (2, .precondition)]
                as [(Int64?, LedgerError.Code)]
            {
                let change = books.change(expected: expected)
                let refused = await refusal { () throws(LedgerError) in
                    try await ledger.createOrganisation(
                        OrganisationSettings(name: "Other"), timeToLive: 3000, secrets: "{}", rootRecord: "{}",
                        change: change, organisation: "acme")
                }
                #expect(refused == code)
            }
            #expect(try await books.digest() == digest)
        }
    }

    @Test("A repeat lists the organisation that a lost answer left out")
    func listedByRepeat() async throws {
        try await withBooks { books async throws in
            _ = try await books.redis.send(["DEL", "bursar:{_}:organisations"])
            #expect(try await books.ledger.organisations().isEmpty)
            try await books.create(books.change("create"))
            #expect(try await books.ledger.organisations() == ["acme"])
        }
    }

    @Test("Books that lost their head are not covered by new ones")
    func headless() async throws {
        try await withBooks { books async throws in
            try await books.budget()
            _ = try await books.redis.send(["DEL", books.key("meta")])
            let digest = try await books.digest()
            let ledger = books.ledger
            let change = books.change()
            let code = await refusal { () throws(LedgerError) in
                try await ledger.createOrganisation(
                    OrganisationSettings(name: "Acme"), timeToLive: 3000, secrets: "{}", rootRecord: "{}",
                    change: change, organisation: "acme")
            }
            #expect(code == .conflict)
            #expect(try await books.digest() == digest)
        }
    }

    @Test(
        "What is wrong with a new organisation is named",
        arguments: [
            ("acme", OrganisationSettings(name: ""), 3000, "{}", "{}", "/name"),
            ("acme", OrganisationSettings(name: "A", timezone: "a b"), 3000, "{}", "{}", "/timezone"),
            ("acme", OrganisationSettings(name: "A", durability: "?"), 3000, "{}", "{}", "/durability"),
            ("acme", OrganisationSettings(name: "A", unpriced: ""), 3000, "{}", "{}", "/unpriced"),
            ("acme", OrganisationSettings(name: "A"), 99, "{}", "{}", "/ttl_ms"),
            ("acme", OrganisationSettings(name: "A"), 3_600_001, "{}", "{}", "/ttl_ms"),
            ("acme", OrganisationSettings(name: "A"), 3000, "", "{}", "/secrets"),
            ("acme", OrganisationSettings(name: "A"), 3000, "{}", "", "/record"),
            ("_", OrganisationSettings(name: "A"), 3000, "{}", "{}", "/id"),
            ("Acme", OrganisationSettings(name: "A"), 3000, "{}", "{}", "/id"),
        ] as [(String, OrganisationSettings, Int64, String, String, String)])
    func invalid(
        _ id: String, _ settings: OrganisationSettings, _ ttl: Int64, _ secrets: String, _ record: String,
        _ pointer: String
    ) async throws {
        try await withBooks(created: false) { books async throws in
            let ledger = books.ledger
            let change = books.change()
            let code = await refusal { () throws(LedgerError) in
                try await ledger.createOrganisation(
                    settings, timeToLive: ttl, secrets: secrets, rootRecord: record, change: change, organisation: id)
            }
            #expect(code == .invalid(pointer: pointer))
            #expect(try await books.redis.send(["DBSIZE"]).int == 0)
        }
    }

    @Test("Settings change together, with what they were in the audit; letters of all kinds survive")
    func updated() async throws {
        try await withBooks { books async throws in
            let settings = OrganisationSettings(
                name: #"Ärger "& Söhne" \ 漢字"#, timezone: "America/New_York", durability: "replica:2", unpriced: "allow"
            )
            let written = try await books.ledger.updateOrganisation(
                settings, change: books.change(expected: 1), organisation: "acme")
            let row = try await books.ledger.organisation("acme")
            #expect(row.settings == settings)
            #expect(row.version == written.version)
            let entry = try #require(try await books.events().last)
            #expect(entry.before == #"{"name":"Acme","timezone":"UTC","durability":"relaxed","unpriced":"deny"}"#)
            #expect(
                entry.after.contains(#""timezone":"America\/New_York","durability":"replica:2","unpriced":"allow"}"#))
            #expect(entry.after.contains(#""name":"Ärger \"& Söhne\" \\ 漢字""#))
        }
    }

    @Test("An organisation without a record is none, not an empty one")
    func unknown() async throws {
        try await withBooks { books async throws in
            let ledger = books.ledger
            let code = await refusal { () throws(LedgerError) in try await ledger.organisation("other") }
            #expect(code == .noOrganisation)
        }
    }
}
