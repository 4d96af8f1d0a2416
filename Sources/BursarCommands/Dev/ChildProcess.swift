// A process that `bursar dev` starts and is sure to end.

import Foundation
import Synchronization
#if canImport(Glibc)
    import Glibc
#endif

/// One child. Its standard input is a pipe whose other end only this process holds: when this process dies, however it
/// dies, the child reads the end of it.
final class ChildProcess: Sendable {
    let name: String
    /// Lines of its standard output.
    let lines: AsyncStream<String>
    /// Its exit code, once; a signal counts as 128 and its number.
    let exits: AsyncStream<Int32>
    private let process: Process
    private let standardInput: Pipe

    /// - Throws: when the executable can't be started.
    init(
        name: String, executable: String, arguments: [String], environment: [String: String]
    ) throws(CommandError) {
        self.name = name
        let (lines, lineEnd) = AsyncStream.makeStream(of: String.self)
        let (exits, exitEnd) = AsyncStream.makeStream(of: Int32.self)
        self.lines = lines
        self.exits = exits
        standardInput = Pipe()
        process = Process()
        process.executableURL = URL(filePath: executable)
        process.arguments = arguments
        process.environment = environment
        process.standardInput = standardInput
        let output = Pipe()
        process.standardOutput = output
        let buffer = LineBuffer()
        output.fileHandleForReading.readabilityHandler = { handle in
            let data = handle.availableData
            if data.isEmpty {
                handle.readabilityHandler = nil
                lineEnd.finish()
            }
            for line in buffer.append(data) { lineEnd.yield(line) }
        }
        process.terminationHandler = { process in
            let code = process.terminationStatus
            exitEnd.yield(process.terminationReason == .exit ? code : 128 + code)
            exitEnd.finish()
        }
        do {
            try process.run()
        } catch {
            throw CommandError(.failed, "\(name) can't be started", cause: error)
        }
    }

    var isRunning: Bool { process.isRunning }

    /// Asks it to end, waits, then ends it.
    func stop(within limit: Duration) async {
        guard isRunning else { return }
        process.terminate()
        try? standardInput.fileHandleForWriting.close()
        let deadline = ContinuousClock.now + limit
        while isRunning, ContinuousClock.now < deadline { await Self.pause() }
        if isRunning { kill() }
        while isRunning { await Self.pause() }
    }

    /// Ends it at once.
    func kill() {
        if isRunning { _ = Glibc.kill(process.processIdentifier, SIGKILL) }
    }

    /// Also when the task is cancelled: a child must not be left because its stop was given up.
    private static func pause() async {
        await Task.detached { try? await Task.sleep(for: .milliseconds(20)) }.value
    }

    /// Bytes to lines.
    private final class LineBuffer: Sendable {
        private let rest = Mutex(Data())

        func append(_ data: Data) -> [String] {
            rest.withLock { rest in
                rest.append(data)
                var lines: [String] = []
                while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                    lines.append(String(decoding: rest[rest.startIndex..<end], as: UTF8.self))
                    rest = Data(rest[rest.index(after: end)...])
                }
                return lines
            }
        }
    }
}
