// The HTTP side of a gateway process as one service: the public listener, the admin listener, and how they go down.

import GatewayNode
import HTTPSupport
import Hummingbird
import Logging
import ServiceLifecycle
import Synchronization

/// Where a gateway listens.
package struct GatewayServerConfiguration: Sendable {
    package var listener: ListenerConfiguration
    /// `/metrics`, `/healthz` and `/readyz` without a key; nil: no such listener.
    package var admin: ListenerConfiguration?
    /// How long `/readyz` says no before the listeners close, so that load balancers turn away first.
    package var drainDelay = Duration.zero
    package var settings = GatewaySettings()

    package init(listener: ListenerConfiguration, admin: ListenerConfiguration? = nil) {
        self.listener = listener
        self.admin = admin
    }
}

/// Serves `/v1` for one node. On graceful shutdown it drains, then closes its listeners and lets requests end; it belongs
/// before the node in the shutdown order, that is after it in the list of services.
package struct GatewayServer: Service {
    package enum Door: Sendable { case main, admin }

    private let listeners: [Listener]
    private let drainDelay: Duration
    private let draining: Flag
    private let logger: Logger

    /// - Parameter onBound: called for each listener with the address that was really bound.
    /// - Throws: when the TLS files cannot be used.
    package init(
        _ configuration: GatewayServerConfiguration, node: GatewayNode, logger: Logger,
        onBound: @escaping @Sendable (Door, ListenAddress) async -> Void = { _, _ in }
    ) throws(ListenerError) {
        let draining = Flag()
        var settings = configuration.settings
        settings.isServing = { !draining.isSet }
        let gateway = Gateway(node: node, settings: settings)
        var listeners = [
            try Listener(configuration.listener, routes: gateway.routes(), logger: logger) { await onBound(.main, $0) }
        ]
        if let admin = configuration.admin {
            listeners.append(
                try Listener(admin, routes: gateway.adminRoutes(), logger: logger) { await onBound(.admin, $0) })
        }
        self.listeners = listeners
        self.draining = draining
        self.logger = logger
        drainDelay = configuration.drainDelay
    }

    package func run() async throws {
        let group = ServiceGroup(configuration: .init(services: listeners, logger: logger))
        // Detached, because a nested group would begin to close with the outer one, and the drain has to come first.
        let serving = Task.detached { try await group.run() }
        let goodbye = AsyncStream<Void>.makeStream()
        let closing = Task.detached { [draining, drainDelay] in
            guard await goodbye.stream.first(where: { _ in true }) != nil else { return }
            draining.set()
            // A cancelled drain is a drain that ends now.
            try? await Task.sleep(for: drainDelay)
            await group.triggerGracefulShutdown()
        }
        defer { goodbye.continuation.finish() }
        try await withTaskCancellationHandler {
            try await withGracefulShutdownHandler {
                try await serving.value
            } onGracefulShutdown: {
                goodbye.continuation.yield()
            }
        } onCancel: {
            closing.cancel()
            serving.cancel()
        }
    }

    private final class Flag: Sendable {
        private let value = Atomic<Bool>(false)
        var isSet: Bool { value.load(ordering: .relaxed) }
        func set() { value.store(true, ordering: .relaxed) }
    }
}
