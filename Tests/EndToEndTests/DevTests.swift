// `bursar dev` as who tries Bursar meets it.

import BursarCommands
import Foundation
import ProcessSupport
import Testing

extension EndToEnd {
    @Suite("bursar dev")
    struct Dev {
        @Test(
            "It prints what to try, the very lines work, a second one fits beside it, and Ctrl-C leaves nothing running"
        )
        func twice() async throws {
            try await Self.with { one in
                try await Self.with { two in
                    #expect(Set(one.urls).isDisjoint(with: two.urls))
                    for stack in [one, two] { try await Self.expectToWork(stack) }
                    try await two.end(by: SIGINT)
                }
                // The other one does not notice.
                try await Self.expectToWork(one)
                try await one.end(by: SIGINT)
            }
        }

        @Test("Also when it is killed itself, or asked to end by a terminal that closes", arguments: [SIGKILL, SIGHUP])
        func killed(_ signal: Int32) async throws {
            try await Self.with { stack in try await stack.end(by: signal) }
        }

        private static func expectToWork(_ stack: DevStack) async throws {
            #expect(stack.urls.count == 3, "a console and two gateways: \(stack.text)")
            let reservation = try await shell(
                try #require(stack.lines.first { $0.hasPrefix("curl ") }, "\(stack.text)"))
            #expect(reservation.json["decision"]?.string == "allow", "\(reservation)")
            #expect(reservation.json["id"]?.string?.hasPrefix("rsv_") == true)
            let list = try await shell(try #require(stack.lines.first { $0.hasSuffix("budget list") }, "\(stack.text)"))
            #expect(list.code == 0, "\(list)")
            #expect(list.output.contains("monthly-usd"), "\(list)")
            let check = try await shell(
                try #require(stack.lines.first { $0.hasSuffix("budget list") }).replacing("budget list", with: "check"))
            #expect(check.code == 0, "\(check)")
        }

        private static func shell(_ line: String) async throws -> Program.Result {
            try await Program.run(["-c", line], executable: "/bin/sh")
        }

        private static func with(_ body: (DevStack) async throws -> Void) async throws {
            let stack = try DevStack()
            defer { stack.clean() }
            try await stack.readSummary()
            try await body(stack)
        }
    }
}

/// One `bursar dev` with a folder of its own for what it writes, and a mark on all its processes.
private final class DevStack {
    private(set) var lines: [String] = []
    private let child: ChildProcess
    private let folder: URL
    private let mark = "\(UInt64.random(in: 0 ... .max))"

    var text: String { lines.joined(separator: "\n") }
    /// Of the console and the gateways.
    var urls: [String] {
        lines.filter { $0.hasPrefix("console ") || $0.hasPrefix("gateway ") }
            .compactMap { $0.split(separator: " ").last.map(String.init) }
    }

    init() throws {
        folder = URL(filePath: "/tmp/e2e-\(mark.prefix(8))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        child = try Program.start(
            try Program.path(), ["dev", "--gateways", "2"], errors: folder.path + ".log",
            environment: Program.environment(["DEV_MARK": mark, "TMPDIR": folder.path]))
    }

    func readSummary() async throws {
        try await child.killed(after: .seconds(60)) {
            for await line in child.lines {
                lines.append(line)
                if line.hasSuffix("budget list") { return }
            }
            throw ProcessFailure("bursar dev ended: \(text)")
        }
    }

    /// Nothing may be left: no process, no file.
    func end(by signal: Int32) async throws {
        let before = ProcessTable.marked(mark, as: "DEV_MARK")
        #expect(before.count >= 5, "itself, redis-server, console, two gateways: \(ProcessTable.describe(before))")
        child.signal(signal)
        let code = try await child.killed(after: .seconds(30)) { await child.end() }
        #expect(code == (signal == SIGKILL ? 128 + SIGKILL : 0))
        let left = try await eventually({ ProcessTable.marked(mark, as: "DEV_MARK") }, until: \.isEmpty)
        #expect(left.isEmpty, "still there: \(ProcessTable.describe(left))")
        let files = try await eventually(
            { try FileManager.default.contentsOfDirectory(atPath: folder.path) }, until: \.isEmpty)
        #expect(files.isEmpty)
    }

    func clean() {
        ProcessTable.kill(ProcessTable.marked(mark, as: "DEV_MARK"))
        try? FileManager.default.removeItem(at: folder)
        try? FileManager.default.removeItem(atPath: folder.path + ".log")
    }
}
