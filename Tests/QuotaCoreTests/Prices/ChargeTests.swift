// A charge is exact until it is rounded up once. The reference adds the same products in arbitrary decimals.

import Foundation
import QuotaCore
import Testing

@Suite("Charges")
struct ChargeTests {
    /// Every kind has another price, so that a kind mistaken for another shows.
    static let price = ModelPrice(
        model: "m", input: 3_000_000, output: 15_000_000, cacheRead: 300_000, cacheWrite5m: 3_750_000,
        cacheWrite1h: 6_000_000, reasoning: 20_000_000, audioInput: 40_000_000, audioOutput: 80_000_000)

    @Test("the contract's example costs what it says")
    func example() {
        let mini = ModelPrice(model: "gpt-4o-mini", input: 150_000, output: 600_000)
        #expect(Amount.formatNano(mini.estimate(inputTokens: 1200, outputTokens: 800)) == "0.00066")
        #expect(Amount.formatNano(mini.charge(Usage(inputTokens: 1200, outputTokens: 800))) == "0.00066")
    }

    @Test("each kind of token is charged at its own price, and only once")
    func kinds() {
        let million: Int64 = 1_000_000
        let dollar: Int64 = 1_000_000_000
        let price = Self.price
        #expect(price.charge(Usage(inputTokens: million)) == 3 * dollar)
        #expect(price.charge(Usage(inputTokens: million, cacheReadTokens: million)) == dollar * 3 / 10)
        #expect(price.charge(Usage(inputTokens: million, cacheWrite5mTokens: million)) == dollar * 375 / 100)
        #expect(price.charge(Usage(inputTokens: million, cacheWrite1hTokens: million)) == 6 * dollar)
        #expect(price.charge(Usage(inputTokens: million, audioInputTokens: million)) == 40 * dollar)
        #expect(price.charge(Usage(outputTokens: million)) == 15 * dollar)
        #expect(price.charge(Usage(outputTokens: million, reasoningTokens: million)) == 20 * dollar)
        #expect(price.charge(Usage(outputTokens: million, audioOutputTokens: million)) == 80 * dollar)
        #expect(price.charge(Usage(inputTokens: 2 * million, cacheReadTokens: million)) == dollar * 33 / 10)
    }

    @Test("kinds without a price cost as much as what they are a part of")
    func fallbacks() {
        let plain = ModelPrice(model: "m", input: 7, output: 11)
        let usage = Usage(
            inputTokens: 10_000, cacheReadTokens: 1000, cacheWrite5mTokens: 1000, cacheWrite1hTokens: 1000,
            outputTokens: 5000, reasoningTokens: 1000, audioInputTokens: 1000, audioOutputTokens: 1000)
        #expect(plain.charge(usage) == 70 + 55)
    }

    @Test(
        "a request is rounded up once, not once per kind",
        arguments: [
            (0, 0, 0), (1, 0, 1), (0, 1, 1), (1, 1, 1), (500, 500, 1), (500, 501, 2), (999, 1, 1), (1000, 1, 2),
        ]
            as [(Int64, Int64, Int64)])
    func rounding(input: Int64, output: Int64, nano: Int64) {
        let price = ModelPrice(model: "m", input: 1, output: 1)
        #expect(price.charge(Usage(inputTokens: input, outputTokens: output)) == nano)
        #expect(price.estimate(inputTokens: input, outputTokens: output) == nano)
    }

    @Test("cached audio that is counted in both parts is charged in both")
    func overlap() {
        let usage = Usage(inputTokens: 1_000_000, cacheReadTokens: 1_000_000, audioInputTokens: 1_000_000)
        #expect(Self.price.charge(usage) == 40_300_000_000)
    }

    @Test("the largest usage at the highest price is charged as the most that the books hold")
    func saturation() {
        let highest = ModelPrice.maximumPrice
        let price = ModelPrice(model: "m", input: highest, output: highest)
        #expect(price.charge(Usage(inputTokens: 1 << 40, outputTokens: 1 << 40)) == ModelPrice.maximumCharge)
        #expect(price.estimate(inputTokens: .max, outputTokens: .max) == ModelPrice.maximumCharge)
        #expect(price.estimate(inputTokens: .min, outputTokens: -1) == 0)
        #expect(price.charge(Usage(inputTokens: -5, cacheReadTokens: .min, outputTokens: .min)) == 0)
        // Exactly 2^63 - 1 of 1e-12 dollars, the last sum that fits in 64 bits.
        let odd = ModelPrice(model: "m", input: 153_092_023, output: 1)
        #expect(odd.charge(Usage(inputTokens: 60_247_241_209)) == 9_223_372_036_854_776)
        #expect(odd.charge(Usage(inputTokens: 60_247_241_209, outputTokens: 1000)) == 9_223_372_036_854_777)
        // Around 2^63 of 1e-12 dollars, where the sum no longer fits in 64 bits.
        #expect(ModelPrice(model: "m", input: 1, output: 0).charge(Usage(inputTokens: 1 << 40)) == 1_099_511_628)
        #expect(price.charge(Usage(inputTokens: 9_223_372)) == 9_223_372_000_000_000)
        #expect(price.charge(Usage(inputTokens: 9_223_373)) == 9_223_373_000_000_000)
        #expect(price.charge(Usage(inputTokens: 4_503_599_627)) == 4_503_599_627_000_000_000)
        #expect(price.charge(Usage(inputTokens: 4_503_599_628)) == ModelPrice.maximumCharge)
    }

    @Test("random usage at random prices costs what decimal arithmetic says")
    func reference() {
        for _ in 0..<3000 {
            func price() -> Int64 { Int64.random(in: 0...(1 << Int64.random(in: 0...30))) }
            func tokens(_ limit: Int64) -> Int64 { Int64.random(in: 0...limit) }
            let input = tokens(1 << Int64.random(in: 0...30))
            let output = tokens(1 << Int64.random(in: 0...30))
            let read = tokens(input)
            let written = tokens(input - read)
            let writtenLong = tokens(input - read - written)
            let audio = tokens(input - read - written - writtenLong)
            let reasoned = tokens(output)
            let spoken = tokens(output - reasoned)
            let prices = (0..<8).map { _ in price() }
            let model = ModelPrice(
                model: "m", input: prices[0], output: prices[1], cacheRead: prices[2], cacheWrite5m: prices[3],
                cacheWrite1h: prices[4], reasoning: prices[5], audioInput: prices[6], audioOutput: prices[7])
            let usage = Usage(
                inputTokens: input, cacheReadTokens: read, cacheWrite5mTokens: written, cacheWrite1hTokens: writtenLong,
                outputTokens: output, reasoningTokens: reasoned, audioInputTokens: audio, audioOutputTokens: spoken)
            let counts = [
                input - read - written - writtenLong - audio, output - reasoned - spoken, read, written, writtenLong,
                reasoned, audio, spoken,
            ]
            var exact = Decimal(0)
            for (count, price) in zip(counts, prices) { exact += Decimal(count) * Decimal(price) }
            exact /= 1000
            var rounded = Decimal()
            NSDecimalRound(&rounded, &exact, 0, .up)
            rounded = min(rounded, Decimal(ModelPrice.maximumCharge))
            #expect(Decimal(model.charge(usage)) == rounded, "\(usage) at \(model)")
        }
    }
}
