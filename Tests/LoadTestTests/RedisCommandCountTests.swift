// Only what clients send counts: a script is one command, however many it calls.

import Foundation
import Logging
import RedisClient
import Testing

@testable import LoadTest

@Suite struct RedisCommandCountTests {
    @Test("commands that scripts call are not counted, nor connections, pings and the reader itself")
    func sum() {
        let text = """
            # Commandstats
            cmdstat_evalsha:calls=12,usec=900,usec_per_call=75.00,rejected_calls=0,failed_calls=0
            cmdstat_eval:calls=3,usec=9,usec_per_call=3.00,rejected_calls=0,failed_calls=0
            cmdstat_script|load:calls=2,usec=9,usec_per_call=3.00,rejected_calls=0,failed_calls=0
            cmdstat_subscribe:calls=1,usec=9,usec_per_call=3.00,rejected_calls=0,failed_calls=0
            cmdstat_hset:calls=1000,usec=9,usec_per_call=3.00,rejected_calls=0,failed_calls=0
            cmdstat_ping:calls=50,usec=9,usec_per_call=3.00,rejected_calls=0,failed_calls=0
            cmdstat_client|setname:calls=7,usec=9,usec_per_call=3.00,rejected_calls=0,failed_calls=0
            cmdstat_info:calls=4,usec=9,usec_per_call=3.00,rejected_calls=0,failed_calls=0
            """
        #expect(RedisCommandCount.sum(text.replacing("\n", with: "\r\n")) == 18)
    }

    @Test("a real Redis counts a script with three calls as one command")
    func realRedis() async throws {
        let folder = try TemporaryFolder()
        let server = Process()
        server.executableURL = URL(filePath: "/usr/bin/env")
        server.arguments = [
            "redis-server", "--save", "", "--appendonly", "no", "--port", "0", "--unixsocket", folder.path + "/s",
            "--dir", folder.path,
        ]
        server.standardOutput = FileHandle.nullDevice
        try server.run()
        defer {
            server.terminate()
            server.waitUntilExit()
        }
        for _ in 0..<500 where server.isRunning && !FileManager.default.fileExists(atPath: folder.path + "/s") {
            try await Task.sleep(for: .milliseconds(10))
        }
        try #require(server.isRunning, "redis-server did not start; is it installed?")
        let count = RedisCommandCount(url: "unix://\(folder.path)/s")
        let before = try await count.read()
        let client = try RedisClient(
            configuration: RedisConfiguration(url: count.url),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await client.run() }
            defer { group.cancelAll() }
            for _ in 0..<5 {
                let script = "redis.call('SET', KEYS[1], 1) redis.call('INCR', KEYS[1]) return redis.call('GET', KEYS[1])"
                _ = try await client.send(["EVAL", script, "1", "key"])
            }
        }
        #expect(try await count.read() - before == 5)
    }
}
