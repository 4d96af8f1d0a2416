// The form of a price in files and in the API: decimal strings of USD per million tokens.

extension ModelPrice: Codable {
    package enum CodingKeys: String, CodingKey, CaseIterable, Sendable {
        case model, from, input, output, reasoning
        case cacheRead = "cache_read"
        case cacheWrite5m = "cache_write_5m"
        case cacheWrite1h = "cache_write_1h"
        case audioInput = "audio_input"
        case audioOutput = "audio_output"
        case maxOutputTokens = "max_output_tokens"
    }

    package init(from decoder: any Decoder) throws {
        try decoder.refuseUnknownFields(besides: CodingKeys.self)
        let container = try decoder.container(keyedBy: CodingKeys.self)

        func price(_ key: CodingKeys) throws -> Int64? {
            guard let decimal = try container.decodeIfPresent(DecimalText.self, forKey: key) else { return nil }
            do { return try Amount.parse(decimal.text, unit: .usd) } catch {
                throw decoder.refusal(error.within(key.rawValue))
            }
        }
        func requiredPrice(_ key: CodingKeys) throws -> Int64 {
            guard let price = try price(key) else {
                throw decoder.refusal(ValueError(message: "is missing", field: key.rawValue))
            }
            return price
        }
        func date(_ key: CodingKeys) throws -> PriceDate? {
            guard let text = try container.decodeIfPresent(String.self, forKey: key) else { return nil }
            do { return try PriceDate(parsing: text) } catch { throw decoder.refusal(error.within(key.rawValue)) }
        }

        self.init(
            model: try container.decode(String.self, forKey: .model), from: try date(.from),
            input: try requiredPrice(.input), output: try requiredPrice(.output), cacheRead: try price(.cacheRead),
            cacheWrite5m: try price(.cacheWrite5m), cacheWrite1h: try price(.cacheWrite1h),
            reasoning: try price(.reasoning), audioInput: try price(.audioInput), audioOutput: try price(.audioOutput),
            maxOutputTokens: try decoder.integer(.maxOutputTokens, in: container))
        do { try validate() } catch { throw decoder.refusal(error) }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(model, forKey: .model)
        try container.encodeIfPresent(from?.description, forKey: .from)
        for (key, price) in givenPrices {
            try container.encodeIfPresent(price.map { Amount.format($0, unit: .usd) }, forKey: key)
        }
        try container.encodeIfPresent(maxOutputTokens, forKey: .maxOutputTokens)
    }

    /// - Throws: an error that names the first field outside its limits.
    package func validate() throws(ValueError) {
        do { try Self.validate(name: model) } catch { throw error.within(CodingKeys.model.rawValue) }
        for case (let key, let price?) in givenPrices {
            if price < 0 { throw ValueError(message: "must not be negative", field: key.rawValue) }
            if price > Self.maximumPrice {
                let limit = Amount.format(Self.maximumPrice, unit: .usd)
                throw ValueError(message: "must be at most \(limit)", field: key.rawValue)
            }
        }
        if let cap = maxOutputTokens, !(1...Usage.maximumTokens).contains(cap) {
            throw ValueError(
                message: "must be between 1 and \(Usage.maximumTokens)", field: CodingKeys.maxOutputTokens.rawValue)
        }
    }

    /// Names and patterns: visible ASCII, because models are compared byte by byte.
    static func validate(name: String) throws(ValueError) {
        guard (1...maximumNameLength).contains(name.utf8.count), name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
            throw ValueError(message: "must be 1 to \(maximumNameLength) visible ASCII characters")
        }
    }

    private var givenPrices: [(CodingKeys, Int64?)] {
        [
            (.input, input), (.cacheRead, cacheRead), (.cacheWrite5m, cacheWrite5m), (.cacheWrite1h, cacheWrite1h),
            (.output, output), (.reasoning, reasoning), (.audioInput, audioInput), (.audioOutput, audioOutput),
        ]
    }
}
