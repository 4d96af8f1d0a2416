// What a provider says a request has used, in the words of every provider at once.

/// The tokens of one request. Totals include their parts, as providers bill them.
package struct Usage: Codable, Sendable, Hashable {
    /// The most tokens of any kind in one request; keeps every sum far below 2^63.
    package static let maximumTokens: Int64 = 1 << 40

    /// All input, cache reads and writes and audio included.
    package var inputTokens: Int64
    package var cacheReadTokens: Int64
    /// Written to a cache that lives for five minutes.
    package var cacheWrite5mTokens: Int64
    /// Written to a cache that lives for an hour.
    package var cacheWrite1hTokens: Int64
    /// All output, reasoning and audio included.
    package var outputTokens: Int64
    package var reasoningTokens: Int64
    package var audioInputTokens: Int64
    package var audioOutputTokens: Int64

    package enum CodingKeys: String, CodingKey, CaseIterable, Sendable {
        case inputTokens = "input_tokens"
        case cacheReadTokens = "cache_read_tokens"
        case cacheWrite5mTokens = "cache_write_5m_tokens"
        case cacheWrite1hTokens = "cache_write_1h_tokens"
        case outputTokens = "output_tokens"
        case reasoningTokens = "reasoning_tokens"
        case audioInputTokens = "audio_input_tokens"
        case audioOutputTokens = "audio_output_tokens"
    }

    package init(
        inputTokens: Int64 = 0, cacheReadTokens: Int64 = 0, cacheWrite5mTokens: Int64 = 0,
        cacheWrite1hTokens: Int64 = 0,
        outputTokens: Int64 = 0, reasoningTokens: Int64 = 0, audioInputTokens: Int64 = 0, audioOutputTokens: Int64 = 0
    ) {
        self.inputTokens = inputTokens
        self.cacheReadTokens = cacheReadTokens
        self.cacheWrite5mTokens = cacheWrite5mTokens
        self.cacheWrite1hTokens = cacheWrite1hTokens
        self.outputTokens = outputTokens
        self.reasoningTokens = reasoningTokens
        self.audioInputTokens = audioInputTokens
        self.audioOutputTokens = audioOutputTokens
    }

    /// Fields left out are zero; unknown ones and figures that contradict each other are refused by name.
    package init(from decoder: any Decoder) throws {
        try decoder.refuseUnknownFields(besides: CodingKeys.self)
        let container = try decoder.container(keyedBy: CodingKeys.self)
        func count(_ key: CodingKeys) throws -> Int64 { try decoder.integer(key, in: container) ?? 0 }
        self.init(
            inputTokens: try count(.inputTokens), cacheReadTokens: try count(.cacheReadTokens),
            cacheWrite5mTokens: try count(.cacheWrite5mTokens), cacheWrite1hTokens: try count(.cacheWrite1hTokens),
            outputTokens: try count(.outputTokens), reasoningTokens: try count(.reasoningTokens),
            audioInputTokens: try count(.audioInputTokens), audioOutputTokens: try count(.audioOutputTokens))
        do { try validate() } catch { throw decoder.refusal(error) }
    }

    /// Input and output: what a budget in tokens is charged.
    package var totalTokens: Int64 { inputTokens + outputTokens }

    /// - Throws: an error that names the first field which is negative, too large, or a part larger than its total.
    package func validate() throws(ValueError) {
        for key in CodingKeys.allCases {
            let count = self[key]
            if count < 0 { throw ValueError(message: "must not be negative", field: key.rawValue) }
            if count > Self.maximumTokens {
                throw ValueError(message: "must be at most \(Self.maximumTokens)", field: key.rawValue)
            }
        }
        // Audio is compared on its own: cached audio is counted as audio and as a cache read.
        try require([.cacheReadTokens, .cacheWrite5mTokens, .cacheWrite1hTokens], within: .inputTokens)
        try require([.audioInputTokens], within: .inputTokens)
        try require([.reasoningTokens, .audioOutputTokens], within: .outputTokens)
    }

    private func require(_ parts: [CodingKeys], within total: CodingKeys) throws(ValueError) {
        var sum: Int64 = 0
        for part in parts {
            sum += self[part]
            guard sum > self[total] else { continue }
            let others = parts.prefix { $0 != part }.filter { self[$0] > 0 }.map(\.rawValue)
            let together = others.isEmpty ? "" : ", together with \(others.joined(separator: " and "))"
            throw ValueError(message: "must not exceed \(total.rawValue)\(together)", field: part.rawValue)
        }
    }

    private subscript(key: CodingKeys) -> Int64 {
        switch key {
        case .inputTokens: inputTokens
        case .cacheReadTokens: cacheReadTokens
        case .cacheWrite5mTokens: cacheWrite5mTokens
        case .cacheWrite1hTokens: cacheWrite1hTokens
        case .outputTokens: outputTokens
        case .reasoningTokens: reasoningTokens
        case .audioInputTokens: audioInputTokens
        case .audioOutputTokens: audioOutputTokens
        }
    }
}
