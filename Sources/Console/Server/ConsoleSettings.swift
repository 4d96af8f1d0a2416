// What a console process can be told.

import HTTPSupport

/// What the console's operations can be told.
package struct ConsoleSettings: Sendable {
    /// `BURSAR_ADMIN_TOKEN`: admin of every organisation; nil: there is no bootstrap credential.
    package var adminToken: String?
    /// Where people find this console; nil: not known.
    package var publicURL: String?
    /// How old a node's last answer may be under `outage: deny`, seconds; part of `block_bound_s`.
    package var maxStaleness: Int64 = 5
    package var limits = RequestLimits()
    package var idempotency = IdempotencyStore.Limits()
    /// Between two comments that keep an idle event stream open.
    package var heartbeat = Duration.seconds(15)

    package init(adminToken: String? = nil) { self.adminToken = adminToken }
}
