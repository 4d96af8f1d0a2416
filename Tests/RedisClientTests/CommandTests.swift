// Commands and scripts against a real server.

import RedisClient
import Testing
import TopologySupport

@Suite("Commands to a real server", .timeLimit(.minutes(1)))
struct CommandTests {
    @Test("A command's words arrive as they are: empty, with spaces, NUL, line ends and every kind of letter")
    func wordsArriveUnchanged() async throws {
        let server = try startedServer()
        try await withClient(server.url) { client async throws in
            for word in ["", " ", "a b", "\0", "line\r\nend", "naïve 漢字 🙂", String(repeating: "x", count: 3 << 20)] {
                #expect(try await client.send(["ECHO", word]) == .bulk(Array(word.utf8)))
            }
        }
    }

    @Test("Every kind of reply has its value")
    func kindsOfReplies() async throws {
        let server = try startedServer()
        try await withClient(server.url) { client async throws in
            #expect(try await client.send(["PING"]) == .status("PONG"))
            #expect(try await client.send(["INCRBY", "n", "9007199254740993"]).int == 9_007_199_254_740_993)
            #expect(try await client.send(["GET", "n"]).int == 9_007_199_254_740_993)
            #expect(try await client.send(["GET", "nothing"]).isNull)
            #expect(try await client.send(["MGET", "n", "nothing"]).array?.count == 2)
        }
    }

    @Test("An error reply is thrown with the server's text and its code")
    func errorReply() async throws {
        let server = try startedServer()
        try await withClient(server.url) { client async throws in
            _ = try await client.send(["SET", "text", "x"])
            let error = await failure { () throws(RedisError) in try await client.send(["LPUSH", "text", "y"]) }
            #expect(error?.code == .server)
            #expect(error?.serverCode == "WRONGTYPE")
            #expect(error?.message.hasPrefix("WRONGTYPE Operation against a key") == true)
            #expect(error?.mayHaveExecuted == false)
        }
    }

    @Test("Ten thousand commands at once each get their own reply, over one connection")
    func pipelining() async throws {
        let server = try startedServer()
        try await withClient(server.url, configure: { $0.maxInFlight = 20_000 }) { client async throws in
            let wrong = try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 0..<10_000 {
                    group.addTask { try await client.send(["ECHO", "\(number)"]).string == "\(number)" }
                }
                return try await group.reduce(into: 0) { $0 += $1 ? 0 : 1 }
            }
            #expect(wrong == 0)
            #expect(client.statistics.commandsSent == 10_000)
            #expect(client.statistics.inFlight == 0)
            #expect(client.statistics.reconnects == 0)
        }
    }

    @Test("A script runs by its hash, and by its source when the server has forgotten it")
    func scripts() async throws {
        let server = try startedServer()
        try await withClient(server.url) { client async throws in
            let script = RedisScript(name: "sum", source: "return redis.call('INCRBY', KEYS[1], ARGV[1])")
            #expect(try await client.send(["SCRIPT", "LOAD", script.source]).string == script.sha1)
            _ = try await client.send(["SCRIPT", "FLUSH"])
            for round in 1...3 {
                let reply = try await client.eval(script, keys: ["n"], arguments: ["5"])
                #expect(reply == .integer(Int64(5 * round)))
            }
            #expect(try await client.send(["SCRIPT", "EXISTS", script.sha1]) == .array([.integer(1)]))
        }
    }

    @Test("An error that a script returns is thrown; one nested in its reply is a value")
    func scriptErrors() async throws {
        let server = try startedServer()
        try await withClient(server.url) { client async throws in
            let refusing = RedisScript(name: "refuse", source: "return redis.error_reply('REFUSED no money')")
            let error = await failure { () throws(RedisError) in
                try await client.eval(refusing, keys: [], arguments: [])
            }
            #expect(error?.serverCode == "REFUSED")
            let nested = RedisScript(name: "nested", source: "return {1, redis.error_reply('REFUSED no money'), {}}")
            let reply = try await client.eval(nested, keys: [], arguments: [])
            #expect(reply == .array([.integer(1), .error("REFUSED no money"), .array([])]))
        }
    }

    @Test("A reply may be large")
    func largeReply() async throws {
        let server = try startedServer()
        try await withClient(server.url) { client async throws in
            _ = try await client.send(["SETRANGE", "big", "\(20 << 20)", "!"])
            guard case .bulk(let bytes) = try await client.send(["GET", "big"]) else {
                Issue.record("not a bulk string")
                return
            }
            #expect(bytes.count == (20 << 20) + 1)
            #expect(bytes.last == UInt8(ascii: "!"))
        }
    }
}
