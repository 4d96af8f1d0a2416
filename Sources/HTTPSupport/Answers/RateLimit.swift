// RateLimit and RateLimit-Policy (IETF draft-ietf-httpapi-ratelimit-headers): structured fields with a budget's figures.

import HTTPTypes

extension HTTPField.Name {
    package static let rateLimit = HTTPField.Name.known("RateLimit")
    package static let rateLimitPolicy = HTTPField.Name.known("RateLimit-Policy")
    package static let shouldRetry = HTTPField.Name.known("x-should-retry")
    package static let requestID = HTTPField.Name.known("x-request-id")
    package static let apiKey = HTTPField.Name.known("x-api-key")
    package static let organisation = HTTPField.Name.known("x-bursar-organisation")
    package static let idempotencyKey = HTTPField.Name.known("Idempotency-Key")
    package static let idempotentReplayed = HTTPField.Name.known("Idempotent-Replayed")

    private static func known(_ name: String) -> HTTPField.Name {
        guard let made = HTTPField.Name(name) else { preconditionFailure("not a header name: \(name)") }
        return made
    }
}

/// One budget in the headers.
package struct RateLimitPolicy: Sendable {
    /// Structured fields hold integers of at most 15 digits.
    package static let maximum: Int64 = 999_999_999_999_999

    /// `account/budget`.
    package var name: String
    /// In the unit's smallest step: micro-dollars, tokens, requests.
    package var allowance: Int64
    package var remaining: Int64
    /// Seconds to the reset; nil when unknown.
    package var reset: Int64?
    /// `micro-usd`, `tokens` or `requests`.
    package var unit: String

    package init(name: String, allowance: Int64, remaining: Int64, reset: Int64?, unit: String) {
        self.name = name
        self.allowance = allowance
        self.remaining = remaining
        self.reset = reset
        self.unit = unit
    }

    package static func apply(_ policies: [RateLimitPolicy], to headers: inout HTTPFields) {
        guard !policies.isEmpty else { return }
        headers[.rateLimitPolicy] =
            policies.map { "\"\($0.name)\";q=\(clamp($0.allowance));qu=\"\($0.unit)\"" }.joined(separator: ", ")
        headers[.rateLimit] =
            policies.map { "\"\($0.name)\";r=\(clamp($0.remaining))" + ($0.reset.map { ";t=\(clamp($0))" } ?? "") }
            .joined(separator: ", ")
    }

    private static func clamp(_ value: Int64) -> Int64 { min(max(value, 0), maximum) }
}
