// The text of amounts is a public interface, and a wrong digit here is wrong money everywhere.

import QuotaCore
import Testing

@Suite("Amounts as users write them")
struct AmountTests {
    @Test(
        "dollars become micro-dollars exactly",
        arguments: [
            ("0", 0), ("5000", 5_000_000_000), ("0.25", 250_000), ("1203.5", 1_203_500_000), ("0.000001", 1),
            ("0.1", 100_000), ("007.50", 7_500_000), ("4503599627.370496", 1 << 52),
            ("4503599627.370495", (1 << 52) - 1),
        ] as [(String, Int64)])
    func dollars(text: String, amount: Int64) throws {
        #expect(try Amount.parse(text, unit: .usd) == amount)
    }

    @Test("tokens and requests are integers up to 2^52", arguments: [BudgetUnit.tokens, .requests])
    func integers(unit: BudgetUnit) throws {
        #expect(try Amount.parse("4503599627370496", unit: unit) == 1 << 52)
        for tooLarge in ["4503599627370497", "9007199254740992", "9007199254740993", "99999999999999999999999999"] {
            #expect(throws: ValueError(message: "must be at most 4503599627370496")) {
                try Amount.parse(tooLarge, unit: unit)
            }
        }
        for malformed in ["1.5", "1.0", "1.", "1e3", "", "1 ", "0x10"] {
            #expect(throws: ValueError(message: "must be an integer")) { try Amount.parse(malformed, unit: unit) }
        }
    }

    @Test(
        "what is not a plain decimal number is refused",
        arguments: [
            "", " ", " 1", "1 ", "1\n", ".", ".5", "5.", "1.2.3", "1,5", "1_000", "1e3", "1E3", "NaN", "nan", "inf",
            "Infinity", "+1", "+", "-", "--1", "0x1", "0.0000001", "0.2500000", "٣", "１", "1\u{0301}",
            "99999999999999e9",
        ])
    func malformedDollars(text: String) {
        #expect(throws: ValueError(message: "must be a decimal number with at most 6 places")) {
            try Amount.parse(text, unit: .usd)
        }
    }

    @Test("a negative amount is named as such where no sign may stand")
    func negativeDollars() {
        #expect(throws: ValueError(message: "must not be negative")) { try Amount.parse("-1", unit: .usd) }
        #expect(throws: ValueError(message: "must not be negative")) { try Amount.parseNano("-0.5") }
    }

    @Test(
        "dollars above 2^52 micro-dollars are refused",
        arguments: ["4503599627.370497", "9223372036854775808", "1000000000000"])
    func tooManyDollars(text: String) {
        #expect(throws: ValueError(message: "must be at most 4503599627.370496")) {
            try Amount.parse(text, unit: .usd)
        }
        #expect(throws: ValueError(message: "must be at most 4503599627.370496")) {
            try Amount.parse("-" + text, unit: .usd, signed: true)
        }
    }

    @Test("adjustments carry a sign")
    func signs() throws {
        #expect(try Amount.parse("+250", unit: .usd, signed: true) == 250_000_000)
        #expect(try Amount.parse("-3", unit: .tokens, signed: true) == -3)
        #expect(try Amount.parse("3", unit: .tokens, signed: true) == 3)
        #expect(try Amount.parse("-4503599627370496", unit: .tokens, signed: true) == -(1 << 52))
        for malformed in ["+-3", "++3", "-", "+", "3-", "- 3"] {
            #expect(throws: ValueError(message: "must be an integer")) {
                try Amount.parse(malformed, unit: .tokens, signed: true)
            }
        }
    }

    @Test(
        "amounts are shown as the shortest text",
        arguments: [
            (0, "0"), (5_000_000_000, "5000"), (1_203_500_000, "1203.5"), (-1, "-0.000001"), (1_000_001, "1.000001"),
            (100, "0.0001"), (1 << 52, "4503599627.370496"), (1 << 53, "9007199254.740992"),
            (.min, "-9223372036854.775808"),
        ] as [(Int64, String)])
    func shortest(amount: Int64, text: String) {
        #expect(Amount.format(amount, unit: .usd) == text)
    }

    @Test("tokens are shown in full, never with an exponent")
    func tokensInFull() {
        #expect(Amount.format(1_000_000_000_000_000, unit: .tokens) == "1000000000000000")
        #expect(Amount.format(-7, unit: .requests) == "-7")
    }

    @Test("what is shown reads back as the same amount")
    func roundTrip() throws {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            let bits = Int.random(in: 1...52, using: &generator)
            let amount = Int64.random(in: -(1 << bits)...(1 << bits), using: &generator)
            for unit in BudgetUnit.allCases {
                #expect(try Amount.parse(Amount.format(amount, unit: unit), unit: unit, signed: true) == amount)
            }
            let nano = Int64.random(in: 0...Amount.maximumNano, using: &generator)
            #expect(try Amount.parseNano(Amount.formatNano(nano)) == nano)
        }
    }

    @Test("a single charge has up to nine places")
    func nanoDollars() throws {
        #expect(try Amount.parseNano("0.000425123") == 425_123)
        #expect(try Amount.parseNano("4503599627.370496") == (1 << 52) * 1000)
        #expect(Amount.formatNano(425_000) == "0.000425")
        #expect(Amount.formatNano(1) == "0.000000001")
        #expect(throws: ValueError(message: "must be a decimal number with at most 9 places")) {
            try Amount.parseNano("0.0000000001")
        }
        #expect(throws: ValueError(message: "must be at most 4503599627.370496")) {
            try Amount.parseNano("4503599627.370496001")
        }
    }
}
