// What a node reads when it begins to serve an organisation: secrets, prices, when writes count.

import Foundation
import Ledger
import QuotaCore
import RedisClient

struct OrganisationHead: Sendable {
    var version: Int64
    var secrets: [OrganisationSecret]
    var pricing: Pricing
    var durability: Durability

    /// - Throws: `.noOrganisation` when there is no record: an outage or a wrong name, never "no limits".
    static func read(_ ledger: Ledger, organisation: String) async throws(LedgerError) -> OrganisationHead {
        do {
            let prefix = Ledger.prefix(organisation)
            let head = try await ledger.redis.send([
                "HMGET", prefix + "meta", "history", "version", "secrets", "unpriced", "durability",
            ])
            guard let fields = head.array, fields.count == 5, fields[0].string != nil else {
                throw LedgerError(.noOrganisation, "organisation \(organisation) has no record")
            }
            let secrets = try JSONDecoder().decode(
                [OrganisationSecret].self, from: Data((fields[2].string ?? "[]").utf8))
            var book = PriceBook.empty
            let current = try await ledger.redis.send(["HGET", prefix + "prices", "version"])
            if let version = current.string {
                let text = try await ledger.redis.send(["HGET", prefix + "prices", version])
                book = try JSONDecoder().decode(PriceBook.self, from: Data((text.string ?? "{}").utf8))
                book.version = Int64(version) ?? 0
            }
            return OrganisationHead(
                version: fields[1].int ?? 0, secrets: secrets,
                pricing: Pricing(book: book, unpriced: UnpricedRule(rawValue: fields[3].string ?? "") ?? .deny),
                durability: Durability(rawValue: fields[4].string ?? "") ?? .relaxed)
        } catch let error as LedgerError {
            throw error
        } catch let error as RedisError {
            throw LedgerError(.unavailable, error.message, cause: error)
        } catch {
            throw LedgerError(.unexpectedAnswer, "\(error)", cause: error)
        }
    }
}
