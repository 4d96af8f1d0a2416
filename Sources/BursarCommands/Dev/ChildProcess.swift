// A process that `bursar dev` starts and is sure to end. Started by posix_spawn itself, because a child otherwise gets the
// signal mask of whatever thread starts it, and one that can't be asked to end can't be ended in order.

import Foundation
import Glibc
import Synchronization

/// One child, in a process group of its own so that Ctrl-C reaches only this process. Its standard input is a pipe whose
/// other end only this process holds: when this process dies, however it dies, the child reads the end of it.
package final class ChildProcess: Sendable {
    package let name: String
    /// Lines of its standard output.
    package let lines: AsyncStream<String>
    /// Its exit code, once; a signal counts as 128 and its number.
    package let exits: AsyncStream<Int32>
    /// Its number, its own until `isRunning` says that it has ended.
    package let pid: Int32
    private let state: Mutex<State>

    private static let spawning = Mutex(())

    private struct State {
        var isRunning = true
        /// The writing end of its standard input; nil once closed.
        var input: Int32?
    }

    /// - Throws: when the executable can't be started.
    package init(
        name: String, executable: String, arguments: [String], environment: [String: String]
    ) throws(CommandError) {
        self.name = name
        let (lines, lineEnd) = AsyncStream.makeStream(of: String.self)
        let (exits, exitEnd) = AsyncStream.makeStream(of: Int32.self)
        self.lines = lines
        self.exits = exits
        // One child at a time: another one would inherit the ends of pipes that are not yet marked as this process's own,
        // and hold them open.
        let (input, output, pid, code) = try Self.spawning.withLock { _ throws(CommandError) in
            let input = try Self.pipe(name)
            let output = try Self.pipe(name)
            let (pid, code) = Self.spawn(
                executable, arguments, environment.map { "\($0.key)=\($0.value)" }, input: input.read,
                output: output.write)
            close(input.read)
            close(output.write)
            return (input, output, pid, code)
        }
        self.pid = pid
        state = Mutex(State(input: input.write))
        guard code == 0 else {
            close(input.write)
            close(output.read)
            throw CommandError(.failed, "\(name) can't be started: \(String(cString: strerror(code)))")
        }
        // Threads of their own, because reading and waiting block.
        Thread.detachNewThread {
            Self.read(output.read) { lineEnd.yield($0) }
            lineEnd.finish()
        }
        Thread.detachNewThread { [self] in
            exitEnd.yield(wait())
            exitEnd.finish()
        }
    }

    package var isRunning: Bool { state.withLock { $0.isRunning } }

    /// Asks it to end, waits, then ends it.
    package func stop(within limit: Duration) async {
        signal(SIGTERM)
        closeInput()
        let deadline = ContinuousClock.now + limit
        while isRunning, ContinuousClock.now < deadline { await Self.pause() }
        kill()
        while isRunning { await Self.pause() }
    }

    /// Ends it at once.
    package func kill() { signal(SIGKILL) }

    /// Sends a signal, unless it has ended.
    // Under the lock: once it is waited for, the number may be another process's.
    package func signal(_ number: Int32) {
        state.withLock { if $0.isRunning { _ = Glibc.kill(pid, number) } }
    }

    private func closeInput() {
        state.withLock { state in
            if let input = state.input { close(input) }
            state.input = nil
        }
    }

    private func wait() -> Int32 {
        var information = siginfo_t()
        // Waited for in two steps: the number stays its own until `isRunning` says that it has ended.
        while waitid(P_PID, id_t(pid), &information, WEXITED | WNOWAIT) != 0, errno == EINTR {}
        return state.withLock { state in
            var status: Int32 = 0
            while waitpid(pid, &status, 0) < 0, errno == EINTR {}
            state.isRunning = false
            if let input = state.input { close(input) }
            state.input = nil
            let signal = status & 0x7F
            return signal == 0 ? (status >> 8) & 0xFF : 128 + signal
        }
    }

    /// Also when the task is cancelled: a child must not be left because its stop was given up.
    private static func pause() async {
        await Task.detached { try? await Task.sleep(for: .milliseconds(20)) }.value
    }

    // MARK: System calls

    /// A pipe that later children do not inherit.
    private static func pipe(_ name: String) throws(CommandError) -> (read: Int32, write: Int32) {
        var ends: [Int32] = [0, 0]
        guard Glibc.pipe(&ends) == 0 else {
            throw CommandError(.failed, "\(name) can't be started: \(String(cString: strerror(errno)))")
        }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (ends[0], ends[1])
    }

    private static func spawn(
        _ executable: String, _ arguments: [String], _ environment: [String], input: Int32, output: Int32
    ) -> (pid: pid_t, code: Int32) {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO)
        posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP))

        var pid: pid_t = 0
        let code = withCStrings([executable] + arguments) { arguments in
            withCStrings(environment) { environment in
                posix_spawn(&pid, executable, &actions, &attributes, arguments, environment)
            }
        }
        return (pid, code)
    }

    private static func withCStrings<Result>(
        _ texts: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
    ) -> Result {
        let copies = texts.map { strdup($0) }
        defer { copies.forEach { free($0) } }
        return body(copies + [nil])
    }

    /// Reads until the end, which comes when no process has the other side any more.
    private static func read(_ descriptor: Int32, onLine: (String) -> Void) {
        defer { close(descriptor) }
        var rest: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                // A last line without an end, as of curl, is a line.
                if !rest.isEmpty { onLine(String(decoding: rest, as: UTF8.self)) }
                return
            }
            rest += buffer[..<count]
            while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                onLine(String(decoding: rest[..<end], as: UTF8.self))
                rest.removeSubrange(...end)
            }
        }
    }
}
