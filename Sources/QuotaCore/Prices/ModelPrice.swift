// The prices of one model from one day on, and the charge of a request by them.

/// USD per million tokens, held as micro-dollars per million tokens: exactly 1e-12 dollars a token, so that no price
/// that a provider publishes is rounded.
package struct ModelPrice: Sendable, Hashable {
    /// The highest price: 1,000,000 USD per million tokens. It is below 2^40, as `Usage.maximumTokens` is, so that a
    /// product stays below 2^80 and the sum of all kinds below 2^83, within the 128 bits that `charge` counts in.
    package static let maximumPrice: Int64 = 1_000_000_000_000
    /// The largest single charge in nano-dollars. A request cannot cost more than the books can hold.
    package static let maximumCharge: Int64 = Amount.maximumNano
    /// The longest model name or pattern in bytes.
    package static let maximumNameLength = 128

    /// A model's name, or a pattern in which `*` stands for anything, nothing included.
    package var model: String
    /// The day from which the price holds, in the calendar's own form; nil: always.
    package var from: PriceDate?
    package var input: Int64
    package var output: Int64
    // Kinds without a price of their own cost as much as what they are a part of.
    package var cacheRead: Int64?
    package var cacheWrite5m: Int64?
    package var cacheWrite1h: Int64?
    package var reasoning: Int64?
    package var audioInput: Int64?
    package var audioOutput: Int64?
    /// The most output tokens of one request; nil: not known.
    package var maxOutputTokens: Int64?

    package init(
        model: String, from: PriceDate? = nil, input: Int64, output: Int64, cacheRead: Int64? = nil,
        cacheWrite5m: Int64? = nil, cacheWrite1h: Int64? = nil, reasoning: Int64? = nil, audioInput: Int64? = nil,
        audioOutput: Int64? = nil, maxOutputTokens: Int64? = nil
    ) {
        self.model = model
        self.from = from
        self.input = input
        self.output = output
        self.cacheRead = cacheRead
        self.cacheWrite5m = cacheWrite5m
        self.cacheWrite1h = cacheWrite1h
        self.reasoning = reasoning
        self.audioInput = audioInput
        self.audioOutput = audioOutput
        self.maxOutputTokens = maxOutputTokens
    }

    /// The cost of a request in nano-dollars, rounded up once.
    ///
    /// Tokens that a provider counts in two parts (cached audio) are charged in both: never too little.
    /// - Parameter usage: valid by `Usage.validate`; counts outside its limits are taken as the nearest limit.
    /// - Returns: at most `maximumCharge`.
    package func charge(_ usage: Usage) -> Int64 {
        let cacheReads = Self.bounded(usage.cacheReadTokens)
        let cacheWrites5m = Self.bounded(usage.cacheWrite5mTokens)
        let cacheWrites1h = Self.bounded(usage.cacheWrite1hTokens)
        let audioIn = Self.bounded(usage.audioInputTokens)
        let reasoned = Self.bounded(usage.reasoningTokens)
        let audioOut = Self.bounded(usage.audioOutputTokens)
        let plainIn = Self.bounded(
            Self.bounded(usage.inputTokens) - cacheReads - cacheWrites5m - cacheWrites1h - audioIn)
        let plainOut = Self.bounded(Self.bounded(usage.outputTokens) - reasoned - audioOut)

        var sum = Int128(plainIn) * Int128(input) + Int128(plainOut) * Int128(output)
        if cacheReads > 0 { sum += Int128(cacheReads) * Int128(cacheRead ?? input) }
        if cacheWrites5m > 0 { sum += Int128(cacheWrites5m) * Int128(cacheWrite5m ?? input) }
        if cacheWrites1h > 0 { sum += Int128(cacheWrites1h) * Int128(cacheWrite1h ?? input) }
        if audioIn > 0 { sum += Int128(audioIn) * Int128(audioInput ?? input) }
        if reasoned > 0 { sum += Int128(reasoned) * Int128(reasoning ?? output) }
        if audioOut > 0 { sum += Int128(audioOut) * Int128(audioOutput ?? output) }
        return Self.nanoDollars(roundingUp: sum)
    }

    /// The cost of a request whose size is only estimated, at the plain input and output prices.
    ///
    /// - Returns: nano-dollars, rounded up once.
    package func estimate(inputTokens: Int64, outputTokens: Int64) -> Int64 {
        Self.nanoDollars(
            roundingUp: Int128(Self.bounded(inputTokens)) * Int128(input)
                + Int128(Self.bounded(outputTokens)) * Int128(output))
    }

    /// For each kind of token the higher of two prices, a kind's fallback counted as its price. No output cap: that of
    /// one model says nothing about another.
    func maximum(_ other: ModelPrice) -> ModelPrice {
        ModelPrice(
            model: "*",
            input: max(input, other.input), output: max(output, other.output),
            cacheRead: max(cacheRead ?? input, other.cacheRead ?? other.input),
            cacheWrite5m: max(cacheWrite5m ?? input, other.cacheWrite5m ?? other.input),
            cacheWrite1h: max(cacheWrite1h ?? input, other.cacheWrite1h ?? other.input),
            reasoning: max(reasoning ?? output, other.reasoning ?? other.output),
            audioInput: max(audioInput ?? input, other.audioInput ?? other.input),
            audioOutput: max(audioOutput ?? output, other.audioOutput ?? other.output))
    }

    private static func bounded(_ tokens: Int64) -> Int64 { min(max(tokens, 0), Usage.maximumTokens) }

    private static func nanoDollars(roundingUp picoDollars: Int128) -> Int64 {
        // Nearly every request fits in 64 bits, where division by a constant is cheap.
        guard let small = Int64(exactly: picoDollars) else {
            let nano = picoDollars / 1000 + (picoDollars % 1000 == 0 ? 0 : 1)
            return Int64(min(nano, Int128(maximumCharge)))
        }
        return small / 1000 + (small % 1000 == 0 ? 0 : 1)
    }
}
