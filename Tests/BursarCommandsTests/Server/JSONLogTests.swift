// Logs for collectors.

import Logging
import Synchronization
import Testing

@testable import BursarCommands

@Suite("JSON logs")
struct JSONLogTests {
    @Test("One object a line, with fields below a member of their own")
    func line() {
        let lines = Lines()
        var logger = Logger(label: "bursar.test") { label in JSONLogHandler(label: label) { lines.add($0) } }
        logger[metadataKey: "node"] = "g1"
        logger.info("started\nnow", metadata: ["message": "a \"quoted\" one"])
        logger.debug("not shown")
        #expect(lines.all.count == 1)
        #expect(lines.all.first?.contains("\n") == false)
        let value = JSONValue.of(lines.all.first ?? "")
        #expect(value["level"] == "info")
        #expect(value["message"] == "started\nnow")
        #expect(value["fields.node"] == "g1")
        #expect(value["fields.message"] == "a \"quoted\" one")
        #expect(value["time"] != nil)
    }

    private final class Lines: Sendable {
        private let lines = Mutex<[String]>([])
        var all: [String] { lines.withLock { $0 } }
        func add(_ line: String) { lines.withLock { $0.append(line) } }
    }
}
