// What is refused before anything runs, and the exit codes that programs rely on.

import ProcessSupport
import TestSupport
import Testing

extension EndToEnd {
    @Suite("Exit codes")
    struct ExitCodes {
        @Test(
            "A wrong command line is 64, and says what is wrong on standard error only",
            arguments: [
                (["gateway", "--redis", "http://127.0.0.1:1", "--listen", "127.0.0.1:0"], "--redis"),
                (["console", "--redis", "http://127.0.0.1:1", "--listen", "127.0.0.1:0"], "--redis"),
                (["gateway"], "--redis"),
                (["gateway", "--redis", "redis://127.0.0.1:1", "--drain-delay", "5"], "drain-delay"),
                (["budget", "lst"], "lst"),
                (["apply"], "--file"),
                (["why", "rsv_1"], "dec_"),
                (["check", "--server", "ftp://127.0.0.1"], "ftp://127.0.0.1"),
                (["load", "--accounts", "a"], "--gateways"),
            ])
        func usage(_ arguments: [String], _ word: String) async throws {
            let result = try await Program.run(arguments)
            #expect(result.code == 64, "\(result)")
            #expect(result.errors.contains(word), "\(result)")
            #expect(result.output.isEmpty, "\(result)")
        }

        @Test("A Redis that may evict keys is refused at the start: 1", arguments: ["gateway", "console"])
        func evicting(_ command: String) async throws {
            try await withRedis(["--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"]) { redis in
                let result = try await Program.run([command, "--redis", redis.url, "--listen", "127.0.0.1:0"])
                #expect(result.code == 1, "\(result)")
                #expect(result.errors.contains("allkeys-lru"), "\(result)")
                #expect(!result.output.contains("listening"))
            }
        }

        @Test("What the server denies and what conflicts is 3, what it does not know is 1")
        func denied() async throws {
            try await Installation.with { bursar in
                let wrong = try await Program.run(
                    ["check", "--server", bursar.console], environment: ["BURSAR_TOKEN": "wrong"])
                #expect(wrong.code == 3, "\(wrong)")
                let conflict = try await bursar.run(
                    "budget", "set", "engineering", "tokens", "--amount", "7", "--if-version", "999999")
                #expect(conflict.code == 3, "\(conflict)")
                #expect(conflict.errors.contains("412"), "\(conflict)")
                let unknown = try await bursar.run("account", "get", "nobody")
                #expect(unknown.code == 1, "\(unknown)")
                #expect(unknown.errors.contains("404"), "\(unknown)")
            }
        }

        @Test("Without a console there is no answer: 1")
        func unreachable() async throws {
            let result = try await Program.run(
                ["check", "--server", "http://127.0.0.1:1"], environment: ["BURSAR_TOKEN": "any"])
            #expect(result.code == 1, "\(result)")
            #expect(result.errors.contains("http://127.0.0.1:1"), "\(result)")
        }
    }
}
