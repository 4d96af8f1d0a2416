// One life of a server process: its services in order, ended by a signal, by its parent's death or by a failure.

import Foundation
import Logging
import ServiceLifecycle
import UnixSignals
#if canImport(Glibc)
    import Glibc
#endif

/// Runs services until SIGTERM or SIGINT. The second signal ends the process at once.
struct ServerProcess: Sendable {
    let logger: Logger
    /// Children of `bursar dev` end when their parent does, however it dies: the kernel closes their standard input.
    let exitOnStdinClose: Bool
    /// What has not ended by then is cancelled.
    let shutdownTime: Duration

    /// - Parameter services: in order of dependency; they shut down in reverse.
    /// - Throws: the error of the service that failed.
    func run(_ services: [any Service]) async throws {
        var configuration = ServiceGroupConfiguration(services: services, logger: logger)
        configuration.maximumGracefulShutdownDuration = shutdownTime
        let group = ServiceGroup(configuration: configuration)
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
        let watcher = Task { [logger] in
            var isSecond = false
            for await signal in signals {
                if isSecond { _exit(128 + signal.rawValue) }
                isSecond = true
                logger.info("shutting down", metadata: ["signal": "\(signal)"])
                await group.triggerGracefulShutdown()
            }
        }
        defer { watcher.cancel() }
        if exitOnStdinClose { watchStandardInput(group) }
        try await group.run()
    }

    private func watchStandardInput(_ group: ServiceGroup) {
        let logger = logger
        // A thread of its own: reading a pipe blocks.
        Thread.detachNewThread {
            var byte: UInt8 = 0
            while true {
                let count = read(STDIN_FILENO, &byte, 1)
                if count == 0 || (count < 0 && errno != EINTR) { break }
            }
            logger.info("shutting down", metadata: ["reason": "standard input ended"])
            Task { await group.triggerGracefulShutdown() }
        }
    }
}
