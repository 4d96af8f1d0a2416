// Numbers in JSON must reach the books as they were written.

import Foundation
import QuotaCore
import Testing

@Suite("Amounts as JSON strings and numbers")
struct DecimalTextTests {
    @Test(
        "a number is taken by its digits",
        arguments: [
            ("\"0.25\"", "0.25"), ("\"+250\"", "+250"), ("0.1", "0.1"), ("0.3", "0.3"), ("1203.5", "1203.5"),
            ("0.000001", "0.000001"), ("1e3", "1000"), ("25e-2", "0.25"), ("-3", "-3"), ("5000", "5000"),
            ("5000.0", "5000"),
            ("4503599627.370496", "4503599627.370496"), ("9007199254740991", "9007199254740991"),
            ("9007199254740992", "9007199254740992"), ("9007199254740993", "9007199254740993"),
            ("1234567.123456789", "1234567.123456789"),
        ])
    func digits(json: String, text: String) throws {
        #expect(try JSONDecoder().decode(DecimalText.self, from: Data(json.utf8)).text == text)
    }

    @Test("neither string nor number is refused", arguments: ["true", "null", "[]", "{}", "NaN", "1e400", "Infinity"])
    func others(json: String) {
        #expect(throws: DecodingError.self) { try JSONDecoder().decode(DecimalText.self, from: Data(json.utf8)) }
    }

    @Test("it is written as a string")
    func encoding() throws {
        let data = try JSONEncoder().encode([DecimalText(text: "0.10")])
        #expect(String(decoding: data, as: UTF8.self) == "[\"0.10\"]")
    }
}
