// A console process as one service: the listener and what works behind it.

import HTTPSupport
import Ledger
import Logging
import RedisClient
import ServiceLifecycle

/// Serves `/api/v1` over a Redis client that the composition root runs: it must be started before and stopped after.
package struct ConsoleServer: Service {
    package struct Configuration: Sendable {
        package var listener: ListenerConfiguration
        package var settings = ConsoleSettings()
        /// Made at start when it does not exist; nil: nothing is made.
        package var createOrganisation: String?
        /// Between two looks at the periods of all budgets.
        package var periodInterval = Duration.seconds(300)

        package init(listener: ListenerConfiguration) { self.listener = listener }
    }

    private let services: [any Service]
    private let logger: Logger

    /// - Parameter onBound: called with the address that was really bound, once requests are accepted.
    /// - Throws: when the TLS files cannot be used.
    package init(
        _ configuration: Configuration, redis: RedisClient, logger: Logger,
        onBound: @escaping @Sendable (ListenAddress) async -> Void = { _ in }
    ) throws(ListenerError) {
        let parts = ConsoleParts(configuration, redis: redis, logger: logger)
        let listener = try Listener(
            configuration.listener, routes: parts.console.routes(), logger: logger, onBound: onBound)
        services = parts.services + [listener]
        self.logger = logger
    }

    package func run() async throws {
        try await ServiceGroup(configuration: .init(services: services, logger: logger)).run()
    }
}

/// A console's parts, put together: for the server, and for tests that need no socket.
struct ConsoleParts: Sendable {
    let console: Console
    /// In the order of start.
    let services: [any Service]

    init(_ configuration: ConsoleServer.Configuration, redis: RedisClient, logger: Logger) {
        let settings = configuration.settings
        let ledger = Ledger(redis: redis)
        let keys = KeyCache(ledger: ledger)
        let news = NewsWatch(ledger: ledger, keys: keys, logger: logger)
        let reapplier = Reapplier(ledger: ledger, logger: logger)
        console = Console(
            ledger: ledger,
            doorkeeper: Doorkeeper(ledger: ledger, keys: keys, bootstrapToken: settings.adminToken),
            reapplier: reapplier, news: news, idempotency: IdempotencyStore(limits: settings.idempotency),
            settings: settings)
        var services: [any Service] = [news, reapplier]
        if let organisation = configuration.createOrganisation {
            services.append(Founder(ledger: ledger, organisation: organisation, logger: logger))
        }
        services.append(PeriodKeeper(ledger: ledger, logger: logger, interval: configuration.periodInterval))
        self.services = services
    }
}
