// A port that is free now, for a process that has to tell its address before it listens.

import NIOCore
import NIOPosix

enum FreePort {
    /// Asks the system for a port that nobody listens on.
    ///
    /// - Parameter preferred: taken when it is free; 0 for any.
    /// - Throws: when the host is not one of this machine.
    static func find(host: String, preferred: Int = 0) async throws -> Int {
        try await find(host: host, preferred: [preferred])[0]
    }

    /// As above for several at once: no two are the same.
    static func find(host: String, preferred: [Int]) async throws -> [Int] {
        var open: [any Channel] = []
        var ports: [Int] = []
        do {
            for port in preferred {
                let channel: any Channel
                if port != 0, let wanted = try? await bind(host, port) {
                    channel = wanted
                } else {
                    channel = try await bind(host, 0)
                }
                open.append(channel)
                ports.append(channel.localAddress?.port ?? port)
            }
        } catch {
            for channel in open { try? await channel.close() }
            throw error
        }
        // All stay open until all are found.
        for channel in open { try await channel.close() }
        return ports
    }

    private static func bind(_ host: String, _ port: Int) async throws -> any Channel {
        try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton).bind(host: host, port: port).get()
    }
}
