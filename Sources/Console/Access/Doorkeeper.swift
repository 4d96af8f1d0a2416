// Turns a request's credential into a visitor.

import Foundation
import HTTPSupport
import HTTPTypes
import Ledger
import QuotaCore

/// Checks keys with the ledger, and the bootstrap credential by itself.
struct Doorkeeper: Sendable {
    /// Used for the bootstrap credential where the request names none.
    static let defaultOrganisation = "default"

    let ledger: Ledger
    let keys: KeyCache
    /// `BURSAR_ADMIN_TOKEN`; nil or empty: there is none.
    let bootstrapToken: String?

    /// - Throws: 401; 403 for keys that only spend; 404 when the bootstrap credential names no organisation; 503.
    func admit(_ call: Call) async throws -> Visitor {
        guard let credential = Credential.read(call.headers) else { throw Problem.unauthorized() }
        if isBootstrap(credential) { return try await bootstrap(call.headers) }
        guard let key = APIKey(parsing: credential) else { throw Problem.unauthorized() }
        guard let row = try await keys.key(key.id, organisation: key.organisation),
            case let record = try RecordCoding.decode(KeyRecord.self, from: row.record),
            key.matches(sha256Hex: record.sha256), Self.isValid(row, record)
        else { throw Problem.unauthorized() }
        switch record.role {
        case .proxy, .member:
            throw Problem.forbidden("A \(record.role.rawValue) key spends; the console is not for it.")
        case .admin, .head, .viewer: break
        }
        return Visitor(
            organisation: key.organisation, account: row.account, role: record.role, actor: Actor.key(key.id),
            keyID: key.id)
    }

    /// For what is above all organisations.
    /// - Throws: 401, 403.
    func admitBootstrap(_ call: Call) async throws {
        guard let credential = Credential.read(call.headers) else { throw Problem.unauthorized() }
        if isBootstrap(credential) { return }
        _ = try await admit(call)
        throw Problem.forbidden("Only the bootstrap credential may do this.")
    }

    /// Whether a visitor is still welcome; asked again and again while a stream is open.
    func isWelcome(_ visitor: Visitor) async throws -> Bool {
        guard let id = visitor.keyID else { return true }
        guard let row = try await keys.key(id, organisation: visitor.organisation) else { return false }
        return Self.isValid(row, try RecordCoding.decode(KeyRecord.self, from: row.record))
    }

    private func isBootstrap(_ credential: String) -> Bool {
        bootstrapToken.map { Credential.matches(credential, secret: $0) } ?? false
    }

    private func bootstrap(_ headers: HTTPFields) async throws -> Visitor {
        let name = headers[.organisation] ?? Self.defaultOrganisation
        let missing = Problem.notFound("There is no such organisation.")
        guard Identifier.isValid(name) else { throw missing }
        do {
            _ = try await ledger.organisation(name)
        } catch {
            throw error.code == .noOrganisation ? missing : error
        }
        return .bootstrap(name)
    }

    private static func isValid(_ row: KeyRow, _ record: KeyRecord) -> Bool {
        row.revokedAt == nil && record.isValid(at: Int64(Date().timeIntervalSince1970 * 1000))
    }
}
