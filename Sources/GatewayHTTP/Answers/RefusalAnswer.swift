// The wire form of a refusal: a problem with the receipt's facts, less what the caller may not see, and the headers
// that tell clients when to come back.

import GatewayNode
import HTTPSupport
import HTTPTypes
import QuotaCore

/// What a refusal's wire form needs beside the refusal.
struct RefusalContext: Sendable {
    var horizon: Horizon
    /// ms since 1970, ledger time.
    var now: Int64
    /// Where a person may ask for more; `{account}` is put in.
    var increaseURL: String?
    /// Clients that retry by themselves are told not to when it takes longer, in seconds.
    static let longestRetry: Int64 = 60
}

extension Refusal {
    /// - Parameter decisionID: the sealed receipt.
    func problem(decisionID: String, _ context: RefusalContext) -> Problem {
        if code == .notFound { return .notFound("There is no such account or reservation.") }
        let hidden =
            refusedBy.contains { !context.horizon.sees($0) } || (blockedAt.map { !context.horizon.sees($0) } ?? false)
        let kind = Kind(code)
        var problem = Problem(
            kind.status, code: code.rawValue, title: kind.title,
            detail: hidden ? "\(kind.title) above this key's account." : detail, type: kind.type)
        addHeaders(&problem.headers, kind, context)
        let url = context.increaseURL?.replacing("{account}", with: account)
        problem.members = { json in
            json.field("decision_id", decisionID)
            json.field("account", account)
            json.nodeAmounts("requested", requested, zeros: false)
            json.figuresList("refused_by", refusedBy, context.horizon)
            if let fits = fitsOutputTokens, !hidden { json.object("fits") { $0.field("output_tokens", fits) } }
            if let url, kind.status == .tooManyRequests { json.field("request_increase_url", url) }
            json.array("violated-policies", refusedBy.filter(context.horizon.sees)) { json, figures in
                json.string("\(figures.account)/\(figures.budget)")
            }
        }
        return problem
    }

    private func addHeaders(_ headers: inout HTTPFields, _ kind: Kind, _ context: RefusalContext) {
        if kind.status == .serviceUnavailable {
            headers[.retryAfter] = "\(max(retryAfter ?? 1, 1))"
            return
        }
        guard kind.status == .tooManyRequests else { return }
        let reset = refusedBy.map { Self.seconds(until: $0.resetsAt, context.now) }.max()
        let wait = (retryAfter ?? reset).map { max($0, 1) }
        headers[.retryAfter] = wait.map { "\($0)" }
        if wait ?? .max > RefusalContext.longestRetry { headers[.shouldRetry] = "false" }
        let policies = refusedBy.filter(context.horizon.sees).map { figures in
            RateLimitPolicy(
                name: "\(figures.account)/\(figures.budget)", allowance: figures.allowance,
                remaining: figures.remaining, reset: Self.seconds(until: figures.resetsAt, context.now),
                unit: figures.unit == .usd ? "micro-usd" : figures.unit.rawValue)
        }
        RateLimitPolicy.apply(policies, to: &headers)
    }

    private static func seconds(until time: Int64, _ now: Int64) -> Int64 { max(0, (time - now + 999) / 1000) }

    /// Status, type and title by code. The types are those registered with IANA for quotas.
    private struct Kind {
        var status: HTTPResponse.Status
        var title: String
        var type: String

        init(_ code: Code) {
            let registry = "https://iana.org/assignments/http-problem-types#"
            switch code {
            case .budgetExhausted: self.init(.tooManyRequests, "Quota exceeded", registry + "quota-exceeded")
            case .throttled: self.init(.tooManyRequests, "Quota exceeded", registry + "quota-exceeded")
            case .runawayStopped:
                self.init(.tooManyRequests, "Abnormal usage detected", registry + "abnormal-usage-detected")
            case .accountBlocked: self.init(.forbidden, "Account blocked")
            case .modelNotAllowed: self.init(.forbidden, "Model not allowed")
            case .unpricedModel: self.init(.unprocessableContent, "Unpriced model")
            case .ledgerUnavailable: self.init(.serviceUnavailable, "Ledger unavailable")
            case .ledgerRecovering: self.init(.serviceUnavailable, "Ledger recovering")
            case .overloaded:
                self.init(
                    .serviceUnavailable, "Temporarily reduced capacity", registry + "temporary-reduced-capacity")
            case .notFound: self.init(.notFound, "Not Found")
            }
        }

        private init(_ status: HTTPResponse.Status, _ title: String, _ type: String = "about:blank") {
            self.status = status
            self.title = title
            self.type = type
        }
    }
}
