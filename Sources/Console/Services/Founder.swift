// Makes the organisation that the console was told to make, once, when the ledger can be reached. An organisation that
// exists is left as it is; nothing else is ever created without a request.

import Ledger
import Logging
import QuotaCore
import ServiceLifecycle

struct Founder: Service {
    let ledger: Ledger
    let organisation: String
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                if await self.found() { break }
                try? await Task.sleep(for: .milliseconds(200))
            }
        }
        // A service that ends takes its group with it.
        try await gracefulShutdown()
    }

    /// - Returns: whether the organisation exists now.
    func found() async -> Bool {
        do {
            _ = try await ledger.organisation(organisation)
            return true
        } catch {
            guard error.code == .noOrganisation else { return false }
        }
        do {
            try await Self.create(
                OrganisationRecord(id: organisation), ledger: ledger,
                change: Change(actor: Actor.console, reason: "created at start", expectedVersion: 0))
            logger.info("an organisation was made", metadata: ["organisation": "\(organisation)"])
            return true
        } catch {
            // Another console was faster, or the ledger went away: looked at again.
            logger.debug("the organisation is not made yet", metadata: ["error": "\(error)"])
            return false
        }
    }

    /// Makes an organisation with its secrets and its root account.
    @discardableResult
    static func create(
        _ record: OrganisationRecord, ledger: Ledger, change: Change
    ) async throws(LedgerError) -> Written {
        try await ledger.prove(record.durability, organisation: record.id)
        return try await ledger.createOrganisation(
            OrganisationSettings(record), timeToLive: 3000,
            secrets: try OrganisationSecrets([.generate()]).json(),
            rootRecord: try RecordCoding.json(AccountRecord(name: record.name, kind: "organisation")), change: change,
            organisation: record.id)
    }
}

extension OrganisationSettings {
    init(_ record: OrganisationRecord) {
        self.init(
            name: record.name, timezone: record.timezone, durability: record.durability.rawValue,
            unpriced: record.unpriced.rawValue)
    }
}
