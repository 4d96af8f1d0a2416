// Which processes of this run are alive, whoever started them: they inherit a mark in their environment. So a test can
// tell that nothing is left, and end what is.

import Foundation

package enum ProcessTable {
    package static let markName = "PROCESS_TEST_RUN"
    /// Of this run, in the environment of all that it starts.
    package static let mark = "\(ProcessInfo.processInfo.processIdentifier)-\(UInt32.random(in: 0 ... .max))"

    /// Numbers of living processes whose environment has this entry, zombies left out.
    package static func marked(_ value: String, as name: String = markName) -> [Int32] {
        let entry = Array("\(name)=\(value)".utf8)
        let all = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return all.compactMap { Int32($0) }.filter { pid in
            guard let bytes = FileManager.default.contents(atPath: "/proc/\(pid)/environ") else { return false }
            return bytes.split(separator: 0).contains { $0.elementsEqual(entry) } && isAlive(pid)
        }
    }

    /// For messages: numbers with command lines.
    package static func describe(_ pids: [Int32]) -> String {
        pids.map { pid in
            let line = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") ?? Data()
            return "\(pid): \(String(decoding: line, as: UTF8.self).replacingOccurrences(of: "\0", with: " "))"
        }.joined(separator: "\n")
    }

    /// Ends what is left, one by one.
    package static func kill(_ pids: [Int32]) {
        for pid in pids { _ = Foundation.kill(pid, SIGKILL) }
    }

    package static func isAlive(_ pid: Int32) -> Bool {
        guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else { return false }
        return text.split(separator: ")").last?.split(separator: " ").first != "Z"
    }
}
