// Who asks. What the roles may do is said here and in Permission, nowhere else.

import Ledger

/// The holder of a valid credential.
struct Visitor: Sendable {
    let organisation: String
    /// The account that the key belongs to.
    let account: String
    let role: KeyRole
    /// Named in the audit.
    let actor: String
    /// The key to look at again while a stream is open; nil for the bootstrap credential.
    let keyID: String?

    static func bootstrap(_ organisation: String) -> Visitor {
        Visitor(organisation: organisation, account: organisation, role: .admin, actor: Actor.bootstrap, keyID: nil)
    }

    /// The root account's id is the organisation's.
    var isAtRoot: Bool { account == organisation }

    /// Names the credential in memory, for idempotency keys.
    var credential: String { "\(organisation)/\(keyID ?? Actor.bootstrap)" }
}

/// How the audit names who made a change.
enum Actor {
    static let bootstrap = "bootstrap"
    /// What the console does by itself.
    static let console = "console"

    static func key(_ id: String) -> String { "key:\(id)" }

    /// The id of the key that made a change; nil for other actors.
    static func keyID(_ actor: String) -> String? {
        actor.hasPrefix("key:") ? String(actor.dropFirst(4)) : nil
    }
}
