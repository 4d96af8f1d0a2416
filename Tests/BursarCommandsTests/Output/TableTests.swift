// Tables as people see them.

import Testing

@testable import BursarCommands

@Suite("Tables")
struct TableTests {
    private let table = Table(columns: [.left("ID", "id"), .right("SPENT", "live.spent"), .left("NAME", "name")])

    @Test("Columns are as wide as their longest cell, figures to the right, what is missing a dash")
    func layout() {
        let rows: [JSONValue] = [
            .of(#"{"id":"search","live":{"spent":"1203.5"},"name":"Search"}"#), .of(#"{"id":"a","name":null}"#),
        ]
        #expect(
            table.render(rows) == """
                ID       SPENT  NAME
                search  1203.5  Search
                a            -  -
                """)
    }

    @Test("Long cells are cut and control characters do nothing")
    func cells() {
        let rows = [JSONValue.object(["id": .string(String(repeating: "x", count: 100)), "name": "a\u{1B}[2J\nb"])]
        let text = table.render(rows)
        #expect(!text.contains("\u{1B}"))
        #expect(text.split(separator: "\n").count == 2)
        #expect(text.contains("…"))
    }

    @Test("Lists in a cell are joined, objects are JSON")
    func values() {
        #expect(JSONValue.of(#"["a","b",1]"#).text == "a,b,1")
        #expect(JSONValue.of(#"{"b":1,"a":[{}]}"#).text == #"{"a":[{}],"b":1}"#)
        #expect(JSONValue.of("0.000425").text == "0.000425")
        #expect(JSONValue.of("4503599627370496").text == "4503599627370496")
    }
}
