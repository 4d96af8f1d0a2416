// What was really used, as a commit or a direct charge tells it: in our words, in amounts, or in a provider's words.

import GatewayNode
import HTTPSupport
import NIOCore
import QuotaCore

/// The body of `POST /v1/reservations/{id}/commit`.
struct CommitBody: Sendable {
    var use: ActualUse

    static func decode(_ body: ByteBuffer) throws(Problem) -> CommitBody {
        try JSONFields.decode(body) { (fields: inout JSONFields) throws(Problem) in
            let model = fields.string("model", maxBytes: Limits.modelBytes)
            return CommitBody(use: try fields.actualUse(model: model))
        }
    }
}

/// The body of `POST /v1/usage`.
struct UsageBody: Sendable {
    var account: String?
    var model: String?
    var use: ActualUse

    static func decode(_ body: ByteBuffer) throws(Problem) -> UsageBody {
        try JSONFields.decode(body) { (fields: inout JSONFields) throws(Problem) in
            let account = fields.identifier("account")
            let model = fields.string("model", maxBytes: Limits.modelBytes)
            return UsageBody(account: account, model: model, use: try fields.actualUse(model: model))
        }
    }
}

extension JSONFields {
    /// Reads `usage`, or `tokens`, `usd`, `requests`, or `provider_usage` with `format`: one of the three forms.
    mutating func actualUse(model: String?) throws(Problem) -> ActualUse {
        let usage = try object("usage") { (fields: inout JSONFields) throws(Problem) in fields.usageWords() }
        let tokens = count("tokens")
        let dollars = dollars("usd", places: 9)
        let requests = count("requests")
        let format = choice("format", ProviderFormat.self)
        let provider = try object("provider_usage", strict: false) {
            (fields: inout JSONFields) throws(Problem) in try format?.usage(&fields)
        }
        guard isValid else { return .amounts(tokens: 0, usd: nil, requests: nil) }
        let amounts = tokens != nil || dollars != nil || requests != nil
        switch (usage, amounts, provider) {
        case (let usage?, false, nil): return .usage(usage, model: model)
        case (nil, true, nil): return .amounts(tokens: tokens, usd: dollars, requests: requests)
        case (nil, false, let provider?):
            guard let provider else {
                fail("format", "is required with provider_usage")
                break
            }
            return .usage(provider, model: model)
        case (nil, false, nil): fail("must hold usage, tokens, usd, requests or provider_usage")
        default: fail("must hold only one of usage, amounts and provider_usage")
        }
        return .amounts(tokens: 0, usd: nil, requests: nil)
    }

    private mutating func usageWords() -> Usage {
        let usage = Usage(
            inputTokens: tokenCount("input_tokens") ?? 0, cacheReadTokens: tokenCount("cache_read_tokens") ?? 0,
            cacheWrite5mTokens: tokenCount("cache_write_5m_tokens") ?? 0,
            cacheWrite1hTokens: tokenCount("cache_write_1h_tokens") ?? 0,
            outputTokens: tokenCount("output_tokens") ?? 0, reasoningTokens: tokenCount("reasoning_tokens") ?? 0,
            audioInputTokens: tokenCount("audio_input_tokens") ?? 0,
            audioOutputTokens: tokenCount("audio_output_tokens") ?? 0)
        do throws(ValueError) {
            try usage.validate()
        } catch {
            fail(error.field ?? "", error.message)
        }
        return usage
    }
}
