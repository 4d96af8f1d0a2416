// Hears of changes in the books: drops keys that changed, and wakes the streams. The ledger's hints make it fast; once a
// second it looks without one, so that a lost hint costs a second and nothing else.

import Ledger
import Logging
import RedisClient
import ServiceLifecycle
import Synchronization

final class NewsWatch: Service, Sendable {
    struct Limits: Sendable {
        var organisations = 1000
        /// Open streams of all organisations.
        var listeners = 256
        var interval = Duration.seconds(1)
    }

    private struct State {
        var watched: Set<String> = []
        var listeners: [UInt64: (organisation: String, pulse: AsyncStream<Void>.Continuation)] = [:]
        var next: UInt64 = 0
    }

    private let ledger: Ledger
    private let keys: KeyCache
    private let limits: Limits
    private let logger: Logger
    private let state = Mutex(State())
    private let requests = AsyncStream<String>.makeStream()

    init(ledger: Ledger, keys: KeyCache, logger: Logger, limits: Limits = Limits()) {
        self.ledger = ledger
        self.keys = keys
        self.limits = limits
        self.logger = logger
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                for await organisation in self.requests.stream {
                    group.addTask { await self.watch(organisation) }
                }
                group.cancelAll()
            }
        }
        state.withLock { state in
            for listener in state.listeners.values { listener.pulse.finish() }
            state.listeners = [:]
        }
    }

    /// Begins to watch an organisation that is known to exist. Beyond the limit keys live by their short life alone.
    func attach(_ organisation: String) {
        let isNew = state.withLock { state in
            state.watched.count < limits.organisations && state.watched.insert(organisation).inserted
        }
        if isNew { requests.continuation.yield(organisation) }
    }

    /// One pulse whenever there may be something new, and at least one in each interval; pulses that nobody waited for
    /// become one. Ends at shutdown.
    ///
    /// - Returns: nil when too many listen already.
    func pulses(_ organisation: String) -> (stream: AsyncStream<Void>, stop: @Sendable () -> Void)? {
        attach(organisation)
        let (stream, pulse) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let number: UInt64? = state.withLock { state in
            guard state.listeners.count < limits.listeners else { return nil }
            state.next += 1
            state.listeners[state.next] = (organisation, pulse)
            return state.next
        }
        guard let number else { return nil }
        pulse.yield()
        return (stream, { [self] in state.withLock { $0.listeners.removeValue(forKey: number) }?.pulse.finish() })
    }

    private func watch(_ organisation: String) async {
        let (hints, hint) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                for await push in self.ledger.redis.subscribe([Ledger.prefix(organisation) + "news"]) {
                    switch push {
                    case .subscribed: hint.yield()
                    case .message(_, let payload): if payload.hasPrefix("version ") { hint.yield() }
                    }
                }
            }
            group.addTask {
                while (try? await Task.sleep(for: self.limits.interval)) != nil { hint.yield() }
            }
            var version: Int64 = -1
            for await _ in hints {
                if Task.isCancelled { break }
                version = await self.look(organisation, after: version)
                self.state.withLock { state in
                    for listener in state.listeners.values where listener.organisation == organisation {
                        listener.pulse.yield()
                    }
                }
            }
            group.cancelAll()
        }
    }

    /// Drops the keys that changed since a version.
    /// - Returns: the version up to which is known now.
    private func look(_ organisation: String, after version: Int64) async -> Int64 {
        do {
            let page = try await ledger.news(after: max(version, 0), organisation: organisation)
            if version < 0 || !page.complete || page.version < version {
                keys.forgetAll()
                return page.version
            }
            for news in page.news where news.kind.hasPrefix("key.") {
                keys.forget(news.key, organisation: organisation)
            }
            return page.news.last?.version ?? page.version
        } catch {
            logger.debug("the news cannot be read", metadata: ["organisation": "\(organisation)", "error": "\(error)"])
            return version
        }
    }
}
