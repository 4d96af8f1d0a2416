// Who asks, and what that one may do and see here. The rules of the contract's "Roles" stand in this file only.

import GatewayNode
import HTTPSupport

/// The holder of a valid credential at the door of its organisation.
struct Visitor: Sendable {
    let caller: Caller
    let organisation: OrganisationNode

    /// The root account's id is the organisation's.
    var isAtRoot: Bool { caller.account == caller.organisation }

    /// The account to spend as: the given one, else the key's own or default.
    /// - Throws: 403 for roles that do not spend, 404 for accounts outside the key's reach, 422 when none is named.
    func spending(as given: String?) async throws -> (account: String, horizon: Horizon) {
        switch caller.role {
        case .head, .viewer: throw Problem.forbidden("A \(caller.role.rawValue) key may not spend.")
        case .member:
            if let given, given != caller.account { throw Problem.notFound("There is no such account.") }
            return (caller.account, Horizon(own: caller.account))
        case .proxy, .admin:
            guard let account = given ?? caller.defaultAccount else {
                throw Problem.invalid("/account", "is required: the key has no default account")
            }
            return (account, try await horizon(over: account))
        }
    }

    /// The principal to record: members are who their key says.
    func principal(_ given: String?) throws(Problem) -> String? {
        guard caller.role == .member else { return given ?? caller.principal }
        if let given, given != caller.principal {
            throw .forbidden("A member key cannot assert another principal.", code: "principal_not_allowed")
        }
        return caller.principal
    }

    /// What the caller may see on the way from an account to the root.
    /// - Throws: 404 when the account is not at or below the caller's.
    func horizon(over account: String) async throws -> Horizon {
        if isAtRoot { return .everything }
        if account == caller.account { return Horizon(own: account) }
        // A member sees its own account only.
        guard caller.role != .member, let path = try await organisation.path(of: account),
            let end = path.firstIndex(of: caller.account)
        else { throw Problem.notFound("There is no such account.") }
        return Horizon(accounts: path[...end])
    }
}

/// The accounts whose names and figures a caller may see.
struct Horizon: Sendable {
    /// Nil: all.
    private let accounts: [String]?

    static let everything = Horizon(all: ())

    private init(all: Void) { accounts = nil }

    init(own account: String) { accounts = [account] }

    init(accounts: some Sequence<String>) { self.accounts = Array(accounts) }

    func sees(_ account: String) -> Bool { accounts?.contains(account) ?? true }

    func sees(_ figures: BudgetFigures) -> Bool { figures.visibleBelow || sees(figures.account) }
}

extension Visitor {
    /// What the caller may see without a look at the tree.
    var ownHorizon: Horizon { isAtRoot ? .everything : Horizon(own: caller.account) }
}

extension Caller {
    /// Names the credential in memory, for instance for idempotency keys.
    var credential: String { "\(organisation)/\(keyID)" }
}

extension Role {
    /// Whether keys of this role may spend; heads and viewers look after money, they do not spend it.
    var spends: Bool {
        switch self {
        case .proxy, .member, .admin: true
        case .head, .viewer: false
        }
    }
}
