// A port that is free now, for a process that has to tell its address before it listens.

import NIOCore
import NIOPosix

enum FreePort {
    /// Asks the system for a port that nobody listens on.
    ///
    /// - Parameter preferred: taken when it is free; 0 for any.
    /// - Throws: when the host is not one of this machine.
    static func find(host: String, preferred: Int = 0) async throws -> Int {
        if preferred != 0, let port = try? await probe(host, preferred) { return port }
        return try await probe(host, 0)
    }

    private static func probe(_ host: String, _ port: Int) async throws -> Int {
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: host, port: port).get()
        let bound = channel.localAddress?.port ?? port
        try await channel.close()
        return bound
    }
}
