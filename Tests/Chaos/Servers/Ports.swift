// Ports that a server keeps over its deaths: below the range from which the system takes those of outgoing connections, so
// that none of them is in the way when it comes back.

import NIOCore
import NIOPosix
import Synchronization

enum Ports {
    private static let range = 20_000..<32_000
    private static let given = Mutex<Set<Int>>([])

    /// A port on 127.0.0.1 that nobody listens on and that was not given before.
    static func free() async throws -> Int {
        for _ in 0..<200 {
            let port = Int.random(in: range)
            guard given.withLock({ $0.insert(port).inserted }) else { continue }
            let bound = try? await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .bind(host: "127.0.0.1", port: port).get()
            guard let bound else { continue }
            try await bound.close()
            return port
        }
        throw ChaosFailure("no free port from \(range.lowerBound) to \(range.upperBound)")
    }
}
