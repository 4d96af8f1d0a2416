// Every way to change the rules, so that what holds for all of them is tested on each.

import Ledger
import RedisClient
import Testing

@testable import QuotaCore

/// A change that one of the admin scripts makes, with what must be there before it.
enum AnyChange: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case updateOrganisation, putSecrets, makeAccount, changeAccount, archiveAccount, putBlock, deleteBlock, makeBudget
    case changeBudget, deleteBudget, extendPeriods, putAdjustment, deleteAdjustment, putKey, rotateKey, revokeKey
    case firstPrices, nextPrices, resolveDoubt

    var testDescription: String { rawValue }

    private static let doubt = DoubtID(key: Desk.key, session: "n~1")

    /// The kind of its audit entry.
    var kind: String {
        switch self {
        case .updateOrganisation: "organisation.updated"
        case .putSecrets: "secrets.rotated"
        case .makeAccount, .changeAccount: "account.put"
        case .archiveAccount: "account.archived"
        case .putBlock: "block.put"
        case .deleteBlock: "block.deleted"
        case .makeBudget, .changeBudget: "budget.put"
        case .deleteBudget: "budget.deleted"
        case .extendPeriods: "periods.extended"
        case .putAdjustment: "adjustment.put"
        case .deleteAdjustment: "adjustment.deleted"
        case .putKey: "key.put"
        case .rotateKey: "key.rotated"
        case .revokeKey: "key.revoked"
        case .firstPrices, .nextPrices: "prices.put"
        case .resolveDoubt: "doubt.resolved"
        }
    }

    /// What its audit entry says about where it belongs: account, budget, generation, key, target.
    var place: [String] {
        switch self {
        case .updateOrganisation, .putSecrets: ["", "", "", "", "acme"]
        case .makeAccount, .changeAccount, .archiveAccount, .putBlock, .deleteBlock: ["team", "", "", "", "team"]
        case .makeBudget, .changeBudget, .deleteBudget, .extendPeriods: ["acme", "monthly", "g1", "", "acme/monthly"]
        case .putAdjustment, .deleteAdjustment: ["acme", "monthly", "g1", "", "acme/monthly/a1"]
        case .putKey, .rotateKey, .revokeKey: ["acme", "", "", "k1", "k1"]
        case .firstPrices, .nextPrices: ["", "", "", "", "prices"]
        case .resolveDoubt: ["acme", "monthly", "g1", "", "acme/monthly/\(Self.doubt)"]
        }
    }

    /// The records before and after, as the audit entry has them; nil where the test of the script itself looks.
    var records: (before: String, after: String)? {
        switch self {
        case .makeAccount: ("", #"{"v":2}"#)
        case .changeAccount: (#"{"id":"team"}"#, #"{"v":2}"#)
        case .archiveAccount: (#"{"id":"team"}"#, "")
        case .putBlock: ("", #"{"reason":"b"}"#)
        case .deleteBlock: (#"{"reason":"b"}"#, "")
        case .makeBudget: ("", #"{"amount":1000}"#)
        case .changeBudget: (#"{"amount":1000}"#, #"{"v":2}"#)
        case .deleteBudget: (#"{"amount":1000}"#, "")
        case .putKey: ("", #"{"k":1}"#)
        case .rotateKey: (#"{"k":1}"#, #"{"k":2}"#)
        case .revokeKey: (#"{"k":1}"#, #"{"k":1,"revoked":true}"#)
        case .putSecrets: ("", "")
        case .resolveDoubt: (#"{"in_doubt":50}"#, #"{"in_doubt":10,"charge":40}"#)
        default: nil
        }
    }

    /// The thing that it changes is there before and has a version.
    var changesSomething: Bool {
        switch self {
        case .makeAccount, .makeBudget, .putAdjustment, .deleteAdjustment, .putKey, .firstPrices, .resolveDoubt: false
        default: true
        }
    }

    /// Returns the version of what it will change, nil when there is nothing yet or it has none.
    func prepare(_ books: TestBooks) async throws -> Int64? {
        let (ledger, organisation) = (books.ledger, books.organisation)
        switch self {
        case .updateOrganisation: return try await ledger.organisation(organisation).version
        case .putSecrets: return try await ledger.organisation(organisation).secretsVersion
        case .makeAccount, .makeBudget, .putKey, .firstPrices: return nil
        case .changeAccount, .archiveAccount, .putBlock: return try await books.account("team").version
        case .deleteBlock:
            try await books.account("team")
            return try await AnyChange.putBlock.make(books, books.change()).version
        case .changeBudget, .deleteBudget, .extendPeriods: return try await books.budget().version
        case .putAdjustment:
            try await books.budget()
            return nil
        case .deleteAdjustment:
            try await books.budget()
            _ = try await AnyChange.putAdjustment.make(books, books.change())
            return nil
        case .rotateKey, .revokeKey: return try await AnyChange.putKey.make(books, books.change()).version
        case .nextPrices: return try await AnyChange.firstPrices.make(books, books.change()).version
        case .resolveDoubt:
            try await books.budget()
            let need = Need(key: Self.doubt.key, amount: 50, level: 0, token: false)
            let report = LeaseReport(
                key: need.key, granted: 0, used: 0, returned: 0, want: 0, demand: 0, answered: 0)
            let message = ExchangeMessage(
                session: Self.doubt.session, number: 1, history: "", seq: 0, rulesVersion: 1, goodbye: false, next: 1,
                opened: [], closed: [], expired: [], parked: [], leases: [report], groups: [[need]])
            _ = try await ledger.exchange(message, origin: .init(node: "n", advertise: ""), organisation: organisation)
            // Over for good, whatever history comes.
            _ = try await books.redis.send(["HSET", books.key("session:\(Self.doubt.session)"), "over", "1"])
            return nil
        }
    }

    func make(_ books: TestBooks, _ change: Change) async throws(LedgerError) -> Written {
        let (ledger, organisation) = (books.ledger, books.organisation)
        switch self {
        case .updateOrganisation:
            return try await ledger.updateOrganisation(
                OrganisationSettings(name: "Acme II"), change: change, organisation: organisation)
        case .putSecrets:
            return try await ledger.putSecrets(#"{"mac":"s2"}"#, change: change, organisation: organisation)
        case .makeAccount, .changeAccount:
            return try await ledger.putAccount(
                "team", parent: organisation, record: #"{"v":2}"#, change: change, organisation: organisation)
        case .archiveAccount:
            return try await ledger.archiveAccount("team", change: change, organisation: organisation)
        case .putBlock:
            return try await ledger.putBlock(
                account: "team", block: #"{"reason":"b"}"#, change: change, organisation: organisation)
        case .deleteBlock:
            return try await ledger.deleteBlock(account: "team", change: change, organisation: organisation)
        case .makeBudget: return try await books.budget(change: change)
        case .changeBudget: return try await books.alter(("amount", "2000"), ("record", #"{"v":2}"#), change: change)
        case .deleteBudget:
            return try await ledger.deleteBudget(
                account: organisation, name: "monthly", change: change, organisation: organisation)
        case .extendPeriods:
            return try await ledger.extendPeriods(
                account: organisation, name: "monthly", periods: TestBooks.periods(10..<14), change: change,
                organisation: organisation)
        case .putAdjustment:
            return try await ledger.putAdjustment(
                account: organisation, budget: "monthly", id: "a1", amount: 250, expires: .periodEnd,
                periodStart: TestBooks.start, record: #"{"reason":"r"}"#, change: change, organisation: organisation)
        case .deleteAdjustment:
            return try await ledger.deleteAdjustment(
                account: organisation, budget: "monthly", id: "a1", change: change, organisation: organisation)
        case .putKey:
            return try await ledger.putKey(
                "k1", account: organisation, record: #"{"k":1}"#, change: change, organisation: organisation)
        case .rotateKey:
            return try await ledger.rotateKey(
                "k1", to: "k2", record: #"{"k":2}"#, oldRecord: #"{"k":1,"revoked":true}"#, change: change,
                organisation: organisation)
        case .revokeKey:
            return try await ledger.revokeKey(
                "k1", record: #"{"k":1,"revoked":true}"#, change: change, organisation: organisation)
        case .firstPrices, .nextPrices:
            return try await ledger.putPrices(#"{"p":1}"#, change: change, organisation: organisation)
        case .resolveDoubt:
            return try await ledger.resolveDoubt(
                Self.doubt, .charge, amount: 40, change: change, organisation: organisation)
        }
    }
}
