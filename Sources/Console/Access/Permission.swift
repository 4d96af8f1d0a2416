// What a visitor may do to an account: the roles of the interface as rules. Accounts outside a visitor's reach do not
// exist for it, so that no answer tells what other departments have.

import HTTPSupport
import Ledger

/// What an operation needs of its visitor.
enum Permission: Sendable {
    /// See figures, rules and audit.
    case read
    /// Set budgets, block, make keys: admins everywhere, heads strictly below their own account.
    case decide
    /// Change the tree, prices and the like: admins only.
    case govern
}

extension Console {
    /// Checks that a visitor may do something to an account.
    ///
    /// - Returns: the account's path to the root.
    /// - Throws: 404 for an account that does not exist or is outside the visitor's reach, 403 for the role.
    func path(of account: String, for visitor: Visitor, to permission: Permission) async throws -> ResolvedPath {
        let path = try await ledger.resolve(account: account, organisation: visitor.organisation)
        guard !path.accounts.isEmpty, path.accounts.contains(where: { $0.id == visitor.account }) else {
            throw Problem.notFound("There is no such account.")
        }
        switch (permission, visitor.role) {
        case (_, .admin), (.read, _): return path
        case (.decide, .head):
            guard account != visitor.account else {
                throw Problem.forbidden("A head decides below its own account, not on it.")
            }
            return path
        case (.decide, _), (.govern, _):
            throw Problem.forbidden("A \(visitor.role.rawValue) key may not do this.")
        }
    }

    /// For what belongs to the organisation as a whole.
    /// - Throws: 403.
    func requireRoot(_ visitor: Visitor, to permission: Permission) throws(Problem) {
        switch (permission, visitor.role) {
        case (_, .admin): return
        case (.read, _) where visitor.isAtRoot: return
        default: throw .forbidden("Only keys of the root account with the right role may do this.")
        }
    }
}

/// Which accounts a visitor sees, remembered while one list or stream is made.
struct Sight: Sendable {
    /// More are looked up anew.
    private static let maximum = 10_000

    private let visitor: Visitor
    private let ledger: Ledger
    private var known: [String: Bool] = [:]

    init(_ visitor: Visitor, _ ledger: Ledger) {
        self.visitor = visitor
        self.ledger = ledger
    }

    /// Whether the account is at or below the visitor's. What belongs to no account is for the root's keys.
    mutating func sees(_ account: String) async throws -> Bool {
        if visitor.isAtRoot { return true }
        if account.isEmpty { return false }
        if let known = known[account] { return known }
        let path = try await ledger.resolve(account: account, organisation: visitor.organisation)
        let sees = path.accounts.contains { $0.id == visitor.account }
        if known.count >= Self.maximum { known = [:] }
        known[account] = sees
        return sees
    }

    /// Accounts may have moved.
    mutating func forget() { known = [:] }
}
