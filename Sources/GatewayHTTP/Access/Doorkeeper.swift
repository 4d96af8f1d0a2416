// Turns a request's credential into a visitor.

import GatewayNode
import HTTPSupport
import HTTPTypes
import Ledger
import QuotaCore

/// Checks keys with the node, and the bootstrap token by itself.
struct Doorkeeper: Sendable {
    /// Used for the bootstrap token where the request does not name one.
    static let defaultOrganisation = "default"

    let node: GatewayNode
    /// `BURSAR_ADMIN_TOKEN`: admin of every organisation. Nil or empty: there is none.
    let bootstrapToken: String?

    /// - Parameter revoked: whether a revoked key will do, as it does for commits.
    /// - Throws: 401, 503; 404 when the bootstrap token is used for an organisation that does not exist.
    func admit(_ call: Call, revoked: Bool = false) async throws -> Visitor {
        guard let credential = Credential.read(call.headers) else { throw Problem.unauthorized() }
        if let bootstrapToken, Credential.matches(credential, secret: bootstrapToken) {
            return try await bootstrap(call.headers)
        }
        switch await node.authenticate(credential) {
        case .unknown: throw Problem.unauthorized()
        case .unavailable: throw Problem.ledgerUnavailable("The key cannot be checked now.")
        case .caller(let caller):
            if caller.revoked, !revoked { throw Problem.unauthorized("The key is revoked or expired.") }
            return Visitor(caller: caller, organisation: try await node.organisation(caller.organisation))
        }
    }

    private func bootstrap(_ headers: HTTPFields) async throws -> Visitor {
        let name = headers[.organisation] ?? Self.defaultOrganisation
        guard Identifier.isValid(name) else { throw Problem.notFound("There is no such organisation.") }
        do {
            let caller = Caller(organisation: name, keyID: "bootstrap", role: .admin, account: name)
            return Visitor(caller: caller, organisation: try await node.organisation(name))
        } catch {
            guard error.code == .noOrganisation else { throw error }
            throw Problem.notFound("There is no such organisation.")
        }
    }
}
