// Organisations: making one, its settings, its secrets, and the list of all.

import RedisClient

extension LedgerScript {
    static let organisationCreate = assemble("organisation_create", PackageResources.organisation_create_lua)
    static let organisationUpdate = assemble("organisation_update", PackageResources.organisation_update_lua)
    static let organisationGet = assemble("organisation_get", PackageResources.organisation_get_lua)
    static let secretsPut = assemble("secrets_put", PackageResources.secrets_put_lua)
}

/// What an organisation decides about itself.
package struct OrganisationSettings: Sendable, Hashable {
    package var name: String
    /// Name in the time zone database.
    package var timezone: String
    /// Word of a ``Durability``.
    package var durability: String
    /// What happens to requests for a model without a price: `deny` or `allow`.
    package var unpriced: String

    package init(name: String, timezone: String = "UTC", durability: String = "relaxed", unpriced: String = "deny") {
        self.name = name
        self.timezone = timezone
        self.durability = durability
        self.unpriced = unpriced
    }

    var arguments: [String] { [name, timezone, durability, unpriced] }
}

/// An organisation and the head of its books. Times in ms since 1970.
package struct OrganisationRow: Sendable, Hashable {
    package var id: String
    package var settings: OrganisationSettings
    package var createdAt: Int64
    /// Of sessions, ms.
    package var timeToLive: Int64
    /// Version of the settings.
    package var version: Int64
    package var secretsVersion: Int64
    /// Version of the newest event.
    package var booksVersion: Int64
    package var history: String
    package var seq: Int64
    /// Time of the last write.
    package var writtenAt: Int64
    package var recoveringUntil: Int64
    /// How far the server's clock was behind the books at the last write, ms: more than a moment is an alarm.
    package var clockBehind: Int64
    /// Ledger time of this answer.
    package var now: Int64
    /// JSON; never to be shown or logged.
    package var secrets: String
}

extension OrganisationRow: CustomStringConvertible, CustomDebugStringConvertible {
    package var description: String { "organisation \(id), version \(version), history \(history)" }
    package var debugDescription: String { description }
}

extension Ledger {
    /// The set of all organisations; no organisation can be called `_`.
    private static let organisationsKey = "bursar:{_}:organisations"

    /// Makes an organisation and its root account, whose id is the organisation's.
    ///
    /// - Parameter rootRecord: JSON of the root account.
    /// - Throws: `.conflict` when it exists.
    package func createOrganisation(
        _ settings: OrganisationSettings, timeToLive milliseconds: Int64, secrets: String, rootRecord: String,
        change: Change, organisation: String
    ) async throws(LedgerError) -> Written {
        let written = try await write(
            LedgerScript.organisationCreate, change,
            settings.arguments + [String(milliseconds), secrets, rootRecord], organisation: organisation)
        // In another slot, so after the script: who repeats the change by its id puts right what was lost between.
        do {
            _ = try await redis.send(["SADD", Self.organisationsKey, organisation])
        } catch {
            throw LedgerError(error)
        }
        return written
    }

    package func updateOrganisation(
        _ settings: OrganisationSettings, change: Change, organisation: String
    ) async throws(LedgerError) -> Written {
        try await write(LedgerScript.organisationUpdate, change, settings.arguments, organisation: organisation)
    }

    /// Stores the secrets anew. They do not show in the audit.
    package func putSecrets(
        _ secrets: String, change: Change, organisation: String
    ) async throws(LedgerError) -> Written {
        try await write(LedgerScript.secretsPut, change, [secrets], organisation: organisation)
    }

    package func organisation(_ organisation: String) async throws(LedgerError) -> OrganisationRow {
        let reply = try await run(LedgerScript.organisationGet, organisation: organisation, [])
        guard let text = reply.texts(atLeast: 17) else { throw LedgerError.unexpected("organisation_get", reply) }
        func number(_ index: Int) -> Int64 { Int64(text[index]) ?? 0 }
        return OrganisationRow(
            id: text[0],
            settings: OrganisationSettings(name: text[1], timezone: text[2], durability: text[3], unpriced: text[4]),
            createdAt: number(5), timeToLive: number(6), version: number(7), secretsVersion: number(8),
            booksVersion: number(9), history: text[10], seq: number(11), writtenAt: number(12),
            recoveringUntil: number(13), clockBehind: number(14), now: number(15), secrets: text[16])
    }

    /// The ids of all organisations, in order.
    package func organisations() async throws(LedgerError) -> [String] {
        let reply: RESPValue
        do {
            reply = try await redis.send(["SMEMBERS", Self.organisationsKey])
        } catch {
            throw LedgerError(error)
        }
        guard let ids = reply.texts(atLeast: 0) else { throw LedgerError.unexpected("SMEMBERS", reply) }
        return ids.sorted()
    }
}
