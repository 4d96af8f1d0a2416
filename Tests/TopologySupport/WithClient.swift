// Runs a client for as long as a test's body takes.

import Logging
import RedisClient

/// A started server of the test's own.
package func startedServer(_ arguments: [String] = []) throws -> LoopbackServer {
    let server = try LoopbackServer(arguments)
    try server.start()
    return server
}

/// Runs a client against `url`; ends it when `body` does.
package func withClient<T: Sendable>(
    _ url: String, configure: (inout RedisConfiguration) -> Void = { _ in },
    _ body: (RedisClient) async throws -> T
) async throws -> T {
    var configuration = try RedisConfiguration(url: url)
    // Patience for busy machines; tests of deadlines set their own.
    configuration.commandTimeout = .seconds(10)
    configuration.connectTimeout = .seconds(5)
    configure(&configuration)
    let client = RedisClient(
        configuration: configuration, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    return try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await client.run() }
        let result = try await body(client)
        group.cancelAll()
        return result
    }
}

/// Waits until `condition` holds, at most ten seconds; returns whether it does.
package func eventually(_ condition: () async throws -> Bool) async throws -> Bool {
    for _ in 0..<1000 {
        if try await condition() { return true }
        try await Task.sleep(for: .milliseconds(10))
    }
    return try await condition()
}

/// The error that `body` throws; nil when it doesn't.
package func failure<T>(_ body: () async throws(RedisError) -> T) async -> RedisError? {
    do throws(RedisError) {
        _ = try await body()
        return nil
    } catch {
        return error
    }
}
