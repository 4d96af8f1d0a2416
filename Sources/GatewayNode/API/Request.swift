// What callers ask of a node: the words of the /v1 API without HTTP.

import QuotaCore

/// What a request is expected to use. What is left out follows from the rest: `requests` is 1, `tokens` is input plus
/// output, `usd` comes from the price book.
package struct Estimate: Sendable, Hashable {
    package var inputTokens: Int64?
    package var outputTokens: Int64?
    package var tokens: Int64?
    /// Nano-dollars.
    package var usd: Int64?
    package var requests: Int64?

    package init(
        inputTokens: Int64? = nil, outputTokens: Int64? = nil, tokens: Int64? = nil, usd: Int64? = nil,
        requests: Int64? = nil
    ) {
        self.inputTokens = inputTokens
        self.outputTokens = outputTokens
        self.tokens = tokens
        self.usd = usd
        self.requests = requests
    }
}

/// A request for allowance: one hold on every budget from the account up to the root.
package struct ReservationRequest: Sendable {
    package var account: String
    package var model: String?
    package var estimate: Estimate
    package var principal: String?
    package var tags: [String: String]
    package var timeToLive: Duration
    /// Decide, but hold nothing.
    package var dryRun: Bool

    package init(
        account: String, model: String? = nil, estimate: Estimate, principal: String? = nil,
        tags: [String: String] = [:], timeToLive: Duration = .seconds(600), dryRun: Bool = false
    ) {
        self.account = account
        self.model = model
        self.estimate = estimate
        self.principal = principal
        self.tags = tags
        self.timeToLive = timeToLive
        self.dryRun = dryRun
    }
}

/// What was really used, in one of the forms a commit may take.
package enum ActualUse: Sendable, Hashable {
    /// Priced with the price book at the reservation's time. `model` overrides the reservation's.
    case usage(Usage, model: String?)
    /// Given amounts; what is nil is as reserved for requests, and zero for tokens and usd (nano-dollars).
    case amounts(tokens: Int64?, usd: Int64?, requests: Int64?)
}
