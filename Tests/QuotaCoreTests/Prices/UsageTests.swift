// Usage comes from outside; what contradicts itself must not be charged.

import Foundation
import QuotaCore
import Testing

@Suite("Usage")
struct UsageTests {
    @Test("input and output are what a token budget is charged")
    func total() {
        let usage = Usage(inputTokens: 1200, cacheReadTokens: 1000, outputTokens: 800, reasoningTokens: 700)
        #expect(usage.totalTokens == 2000)
    }

    @Test("parts may fill their totals, and cached audio counts in both parts")
    func full() throws {
        try Usage(
            inputTokens: 100, cacheReadTokens: 50, cacheWrite5mTokens: 30, cacheWrite1hTokens: 20, outputTokens: 10,
            reasoningTokens: 6, audioInputTokens: 100, audioOutputTokens: 4
        ).validate()
        try Usage(inputTokens: 1 << 40, outputTokens: 1 << 40).validate()
    }

    @Test(
        "a part larger than its total is refused by name",
        arguments: [
            (Usage(inputTokens: 9, cacheReadTokens: 10), "cache_read_tokens", "must not exceed input_tokens"),
            (
                Usage(inputTokens: 9, cacheReadTokens: 5, cacheWrite1hTokens: 5), "cache_write_1h_tokens",
                "must not exceed input_tokens, together with cache_read_tokens"
            ),
            (Usage(inputTokens: 9, audioInputTokens: 10), "audio_input_tokens", "must not exceed input_tokens"),
            (Usage(outputTokens: 9, reasoningTokens: 10), "reasoning_tokens", "must not exceed output_tokens"),
            (
                Usage(outputTokens: 9, reasoningTokens: 5, audioOutputTokens: 5), "audio_output_tokens",
                "must not exceed output_tokens, together with reasoning_tokens"
            ),
            (Usage(inputTokens: -1), "input_tokens", "must not be negative"),
            (Usage(outputTokens: (1 << 40) + 1), "output_tokens", "must be at most 1099511627776"),
            (Usage(cacheReadTokens: .max), "cache_read_tokens", "must be at most 1099511627776"),
        ])
    func contradictions(usage: Usage, field: String, message: String) {
        #expect(throws: ValueError(message: message, field: field)) { try usage.validate() }
    }

    @Test("JSON fields left out are zero")
    func decoding() throws {
        let usage = try JSONDecoder().decode(Usage.self, from: Data(#"{"input_tokens":3,"cache_read_tokens":2}"#.utf8))
        #expect(usage == Usage(inputTokens: 3, cacheReadTokens: 2))
    }

    @Test(
        "JSON that is no usage is refused at the field",
        arguments: [
            (#"{"input_tokens":1,"cache_read_tokens":2}"#, "cache_read_tokens"), (#"{"input_token":1}"#, "input_token"),
            (#"{"output_tokens":-1}"#, "output_tokens"), (#"{"output_tokens":"1"}"#, "output_tokens"),
            (#"{"output_tokens":1.5}"#, "output_tokens"), (#"{"output_tokens":1e300}"#, "output_tokens"),
        ])
    func refusals(json: String, field: String) {
        #expect(codingPath(of: Usage.self, json) == [field])
    }
}

/// Where decoding stopped; nil when it did not.
func codingPath<Value: Decodable>(of type: Value.Type, _ json: String) -> [String]? {
    do {
        _ = try JSONDecoder().decode(type, from: Data(json.utf8))
        return nil
    } catch let DecodingError.dataCorrupted(context), let DecodingError.typeMismatch(_, context),
        let DecodingError.valueNotFound(_, context)
    {
        return context.codingPath.map { $0.intValue.map(String.init) ?? $0.stringValue }
    } catch let DecodingError.keyNotFound(key, context) {
        return context.codingPath.map { $0.intValue.map(String.init) ?? $0.stringValue } + [key.stringValue]
    } catch {
        return ["\(error)"]
    }
}
