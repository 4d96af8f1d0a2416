// A server's tasks run on the event loops that own its sockets. On the thread pool beside them every request would be
// handed over twice, from loop to pool and back, and that costs more than the decision itself.

import Logging
import NIOCore
import NIOPosix

enum EventLoopExecutor {
    /// Makes the event loops of the process the executor of all tasks. To be called once, before a server starts.
    ///
    /// A runtime that does not offer the hook keeps its own pool: slower, but right.
    static func install(logger: Logger) {
        guard !NIOSingletons.unsafeTryInstallSingletonPosixEventLoopGroupAsConcurrencyGlobalExecutor() else { return }
        logger.notice("tasks run on the thread pool: this runtime does not let event loops run them")
    }
}
