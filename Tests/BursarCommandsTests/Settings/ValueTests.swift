// Single values of settings: durations, secrets, places in YAML.

import Foundation
import Testing

@testable import BursarCommands

@Suite("Values of settings")
struct ValueTests {
    @Test(
        "Durations have a unit",
        arguments: [("250ms", 250), ("5s", 5000), ("10m", 600_000), ("2h", 7_200_000), ("1d", 86_400_000), ("0", 0)])
    func durations(text: String, milliseconds: Int64) {
        #expect(TimeSpan(argument: text)?.milliseconds == milliseconds)
    }

    @Test("What is no duration is refused", arguments: ["5", "-5s", "1.5s", "5 s", "s", "", "99999999999s"])
    func noDurations(text: String) {
        #expect(TimeSpan(argument: text) == nil)
    }

    @Test("A secret's file gives its first line")
    func secretFile() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "secret-\(UInt64.random(in: 0 ... .max))")
        try Data("  hush \nmore\n".utf8).write(to: path)
        defer { try? FileManager.default.removeItem(at: path) }
        let fromFile = try Secret.read(nil, file: path.path)
        let given = try Secret.read("given", file: path.path)
        let none = try Secret.read(nil, file: nil)
        #expect(fromFile == "hush")
        #expect(given == "given")
        #expect(none == nil)
        #expect(throws: CommandError.self) { try Secret.read(nil, file: path.path + "-missing") }
    }

    @Test("YAML keeps digits, dates and words as they are written")
    func scalars() throws {
        let yaml = "a: 0.1\nb: \"5000\"\nc: 2026-01-01\nd: off\ne: true\nf: ~\ng: 0012\n"
        let value = try PlacedValue(yaml: yaml, name: "f").json
        #expect(value["a"] == .number(Decimal(string: "0.1") ?? 0))
        #expect(value["b"] == "5000")
        #expect(value["c"] == "2026-01-01")
        #expect(value["d"] == "off")
        #expect(value["e"] == .bool(true))
        #expect(value["f"] == nil)
        #expect(value["g"] == "0012")
    }

    @Test(
        "Broken YAML names its line, double keys their mapping",
        arguments: [("a: 1\nb: [\n", "org.yaml:3:1: "), ("b: 2\nc:\n  a: 1\n  a: 3\n", "org.yaml:3:3: 'a' stands")])
    func brokenYAML(yaml: String, beginning: String) throws {
        let error = #expect(throws: CommandError.self) { try PlacedValue(yaml: yaml, name: "org.yaml") }
        #expect(error?.message.hasPrefix(beginning) == true, "\(error?.message ?? "")")
    }

    @Test("A JSON pointer finds its place in the file")
    func pointers() throws {
        let value = try PlacedValue(yaml: "a:\n  b:\n  - x: 1\n    y/z: 2\n", name: "f")
        #expect(value.place(of: "/a/b/0/y~1z") == FilePlace(line: 4, column: 5))
        #expect(value.place(of: "/a/missing") == FilePlace(line: 1, column: 1))
    }
}
