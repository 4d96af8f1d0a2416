// Reads the `usage` object of a provider's answer, verbatim, into our words. Unknown fields are the provider's own
// business; parts that exceed their whole are cut to it, for a charge must not be lost over a provider's slip.

import HTTPSupport
import QuotaCore

enum ProviderFormat: String, CaseIterable, Sendable {
    case openAIChat = "openai.chat"
    case openAIResponses = "openai.responses"
    case openAIEmbeddings = "openai.embeddings"
    case anthropicMessages = "anthropic.messages"

    func usage(_ fields: inout JSONFields) throws(Problem) -> Usage {
        switch self {
        case .openAIChat: try Self.chat(&fields)
        case .openAIResponses: try Self.responses(&fields)
        case .openAIEmbeddings: Self.embeddings(&fields)
        case .anthropicMessages: try Self.messages(&fields)
        }
    }

    /// `prompt_tokens` includes cached ones, `completion_tokens` includes reasoning.
    private static func chat(_ fields: inout JSONFields) throws(Problem) -> Usage {
        fields.require("prompt_tokens")
        let prompt = fields.tokenCount("prompt_tokens") ?? 0
        let completion = fields.tokenCount("completion_tokens") ?? 0
        let input = try details("prompt_tokens_details", &fields)
        let output = try details("completion_tokens_details", &fields)
        return openAI(prompt, completion, input, output)
    }

    private static func responses(_ fields: inout JSONFields) throws(Problem) -> Usage {
        fields.require("input_tokens")
        let prompt = fields.tokenCount("input_tokens") ?? 0
        let completion = fields.tokenCount("output_tokens") ?? 0
        let input = try details("input_tokens_details", &fields)
        let output = try details("output_tokens_details", &fields)
        return openAI(prompt, completion, input, output)
    }

    private static func embeddings(_ fields: inout JSONFields) -> Usage {
        fields.require("prompt_tokens")
        return Usage(inputTokens: fields.tokenCount("prompt_tokens") ?? 0)
    }

    /// `input_tokens` excludes what was read from and written to the cache. Writes that are not split by age are of
    /// the five-minute class.
    private static func messages(_ fields: inout JSONFields) throws(Problem) -> Usage {
        fields.require("input_tokens")
        let fresh = fields.tokenCount("input_tokens") ?? 0
        let read = fields.tokenCount("cache_read_input_tokens") ?? 0
        let split = try fields.object("cache_creation", strict: false) {
            (inner: inout JSONFields) throws(Problem) in
            (
                short: inner.tokenCount("ephemeral_5m_input_tokens") ?? 0,
                long: inner.tokenCount("ephemeral_1h_input_tokens") ?? 0
            )
        }
        let long = split?.long ?? 0
        // Each count is at most 2^40, so the sums stay far from the end of Int64.
        let written = max(fields.tokenCount("cache_creation_input_tokens") ?? 0, (split?.short ?? 0) + long)
        return Usage(
            inputTokens: fresh + read + written, cacheReadTokens: read, cacheWrite5mTokens: written - long,
            cacheWrite1hTokens: long, outputTokens: fields.tokenCount("output_tokens") ?? 0)
    }

    private struct Details {
        var cached: Int64 = 0
        var audio: Int64 = 0
        var reasoning: Int64 = 0
    }

    private static func details(_ name: StaticString, _ fields: inout JSONFields) throws(Problem) -> Details {
        let found = try fields.object(name, strict: false) { (inner: inout JSONFields) throws(Problem) in
            Details(
                cached: inner.tokenCount("cached_tokens") ?? 0, audio: inner.tokenCount("audio_tokens") ?? 0,
                reasoning: inner.tokenCount("reasoning_tokens") ?? 0)
        }
        return found ?? Details()
    }

    private static func openAI(_ prompt: Int64, _ completion: Int64, _ input: Details, _ output: Details) -> Usage {
        Usage(
            inputTokens: prompt, cacheReadTokens: min(input.cached, prompt), outputTokens: completion,
            reasoningTokens: min(output.reasoning, completion), audioInputTokens: min(input.audio, prompt),
            audioOutputTokens: min(output.audio, completion))
    }
}
