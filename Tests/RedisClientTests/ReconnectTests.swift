// What happens to callers when the server is slow, frozen, gone or killed.

import RedisClient
import Synchronization
import Testing
import TopologySupport

@Suite("A server that fails", .timeLimit(.minutes(1)))
struct ReconnectTests {
    @Test("Killed and restarted under load, every call ends with its own reply or a clear error; then it works again")
    func killedUnderLoad() async throws {
        let server = try startedServer()
        try await withClient(server.url, configure: { $0.commandTimeout = .seconds(1) }) { client async throws in
            let tally = Tally()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for worker in 0..<64 { group.addTask { await load(client, worker: worker, tally) } }
                for pause in [0, 100, 300] {
                    #expect(try await tally.hasAnswers(more: 1000))
                    server.kill()
                    try await Task.sleep(for: .milliseconds(pause))
                    try server.start()
                }
                #expect(try await tally.hasAnswers(more: 1000))
                tally.counts.withLock { $0.isOver = true }
                try await group.waitForAll()
            }
            let counts = tally.counts.withLock { $0 }
            #expect(counts.misattributed == 0)
            #expect(counts.failed > 0)
            #expect(counts.unexpected.map(\.description) == [])
            #expect(client.statistics.reconnects == 3)
            #expect(client.statistics.inFlight == 0)
        }
    }

    @Test("Commands in flight when the connection breaks fail with connectionClosed and may have run; none is repeated")
    func inFlightFail() async throws {
        let server = try startedServer()
        try await withClient(server.url) { client async throws in
            _ = try await client.send(["SET", "n", "0"])
            async let slow = failure { () throws(RedisError) in try await client.send(["DEBUG", "SLEEP", "5"]) }
            async let behind = failure { () throws(RedisError) in try await client.send(["INCR", "n"]) }
            #expect(try await eventually { client.statistics.inFlight == 2 })
            server.kill()
            for error in await [slow, behind] {
                #expect(error?.code == .connectionClosed)
                #expect(error?.mayHaveExecuted == true)
            }
            try server.start()
            #expect(try await client.send(["GET", "n"]) == .null)
            #expect(client.statistics.commandsSent == 4)
        }
    }

    @Test("A command that is late fails its caller alone: neighbours keep their replies and the connection stays")
    func slowCommand() async throws {
        let server = try startedServer()
        try await withClient(server.url) { client async throws in
            _ = try await client.send(["PING"])
            async let late = failure { () throws(RedisError) in
                try await client.send(["DEBUG", "SLEEP", "0.5"], timeout: .milliseconds(50))
            }
            #expect(try await eventually { client.statistics.inFlight == 1 })
            async let first = client.send(["ECHO", "first"])
            async let second = client.send(["ECHO", "second"])
            let error = await late
            #expect(error?.code == .timeout)
            #expect(error?.mayHaveExecuted == true)
            #expect(try await first.string == "first")
            #expect(try await second.string == "second")
            #expect(client.statistics.reconnects == 0)
            #expect(client.statistics.timeouts == 1)
        }
    }

    @Test("A cancelled caller ends at once and harms no neighbour")
    func cancelledCaller() async throws {
        let server = try startedServer()
        try await withClient(server.url) { client async throws in
            _ = try await client.send(["PING"])
            let slow = Task {
                await failure { () throws(RedisError) in try await client.send(["DEBUG", "SLEEP", "0.5"]) }
            }
            #expect(try await eventually { client.statistics.inFlight == 1 })
            let gone = Task {
                await failure { () throws(RedisError) in try await client.send(["ECHO", "cancelled"]) }
            }
            #expect(try await eventually { client.statistics.inFlight == 2 })
            async let neighbour = client.send(["ECHO", "neighbour"])
            gone.cancel()
            slow.cancel()
            for error in await [gone.value, slow.value] {
                #expect(error?.code == .cancelled)
                #expect(error?.mayHaveExecuted == true)
            }
            #expect(client.statistics.inFlight > 0)
            #expect(try await neighbour.string == "neighbour")
            #expect(client.statistics.reconnects == 0)
        }
    }

    @Test("A frozen server is noticed and given up; when it thaws the client works again")
    func frozenServer() async throws {
        let server = try startedServer()
        let short = Duration.milliseconds(300)
        try await withClient(server.url, configure: { ($0.commandTimeout, $0.connectTimeout) = (short, short) }) {
            client async throws in
            _ = try await client.send(["PING"], timeout: .seconds(10))
            server.freeze()
            let first = await failure { () throws(RedisError) in try await client.send(["INCR", "n"]) }
            #expect(first?.code == .timeout)
            #expect(try await eventually { !client.isConnected })
            let second = await failure { () throws(RedisError) in try await client.send(["INCR", "n"]) }
            #expect(second?.code == .notConnected)
            #expect(second?.mayHaveExecuted == false)
            server.thaw()
            #expect(try await client.send(["PING"], timeout: .seconds(10)) == .status("PONG"))
            #expect(client.statistics.reconnects == 1)
        }
    }

    @Test("A server that drops every subscription at once is not hammered")
    func refusedSubscription() async throws {
        let server = try startedServer(["--user", "default", "on", "nopass", "~*", "+@all", "-subscribe"])
        try await withClient(server.url) { client async throws in
            _ = try await client.send(["PING"])
            let stream = client.subscribe(["a"])
            try await Task.sleep(for: .seconds(1))
            let info = try await client.send(["INFO", "stats"]).string ?? ""
            let line = info.split(separator: "\r\n").first { $0.hasPrefix("total_connections_received:") }
            let connections = try #require(line.flatMap { Int($0.split(separator: ":")[1]) })
            #expect((3...20).contains(connections))
            _ = stream
        }
    }

    @Test("Without a server a command waits until its deadline, then says why there is no connection")
    func noServer() async throws {
        let server = try LoopbackServer()
        try await withClient(server.url) { client async throws in
            let isExplained = try await eventually {
                let error = await failure { () throws(RedisError) in
                    try await client.send(["PING"], timeout: .milliseconds(100))
                }
                #expect(error?.code == .notConnected)
                #expect(error?.mayHaveExecuted == false)
                return error?.description.contains("No such file") == true
            }
            #expect(isExplained)
            #expect(!client.isConnected)

            async let waiting = client.send(["PING"])
            try server.start()
            #expect(try await waiting == .status("PONG"))
            #expect(client.isConnected)
        }
    }

    @Test("Beyond the bound commands are refused at once, in flight and while waiting for a connection")
    func queueFull() async throws {
        let server = try LoopbackServer()
        try await withClient(server.url, configure: { $0.maxInFlight = 4 }) { client async throws in
            for isUp in [false, true] {
                if isUp {
                    try server.start()
                    _ = try await client.send(["PING"])
                }
                let errors = await withTaskGroup(of: RedisError?.self) { group in
                    for _ in 1...6 {
                        group.addTask {
                            await failure { () throws(RedisError) in
                                try await client.send(["DEBUG", "SLEEP", "0.1"], timeout: .seconds(isUp ? 10 : 1))
                            }
                        }
                    }
                    return await group.reduce(into: []) { $0.append($1) }
                }
                let refused = errors.filter { $0?.code == .queueFull && $0?.mayHaveExecuted == false }
                #expect(refused.count == 2)
                #expect(errors.count { $0 == nil } == (isUp ? 4 : 0))
            }
            #expect(try await client.send(["PING"]) == .status("PONG"))
        }
    }

    @Test("At the end, what is in flight is still answered, and later commands are refused")
    func shutdown() async throws {
        let server = try startedServer()
        let escaped = try await withClient(server.url) { client async throws in
            _ = try await client.send(["PING"])
            let last = Task { try await client.send(["DEBUG", "SLEEP", "0.2"]) }
            #expect(try await eventually { client.statistics.inFlight == 1 })
            return (client, last)
        }
        #expect(try await escaped.1.value == .status("OK"))
        let error = await failure { () throws(RedisError) in try await escaped.0.send(["PING"]) }
        #expect(error?.code == .notConnected)
        #expect(!escaped.0.isConnected)
    }
}

/// What the callers of the load test saw.
private final class Tally: Sendable {
    struct Counts {
        var isOver = false
        var answered = 0
        var misattributed = 0
        var failed = 0
        var unexpected: [RedisError] = []
    }

    let counts = Mutex(Counts())

    func hasAnswers(more: Int) async throws -> Bool {
        let goal = counts.withLock { $0.answered } + more
        return try await eventually { counts.withLock { $0.answered >= goal } }
    }
}

/// One caller that asks for its own words, one after the other, until the test is over.
private func load(_ client: RedisClient, worker: Int, _ tally: Tally) async {
    var round = 0
    while !tally.counts.withLock({ $0.isOver }) {
        round += 1
        let word = "\(worker)-\(round)"
        do throws(RedisError) {
            let reply = try await client.send(["ECHO", word]).string
            tally.counts.withLock { reply == word ? ($0.answered += 1) : ($0.misattributed += 1) }
        } catch {
            switch (error.code, error.mayHaveExecuted) {
            case (.connectionClosed, _), (.notConnected, false), (.timeout, true):
                tally.counts.withLock { $0.failed += 1 }
            default:
                tally.counts.withLock { $0.unexpected.append(error) }
            }
        }
    }
}
