// For load balancers and Prometheus: alive, ready, metrics.

import GatewayNode
import HTTPSupport
import HTTPTypes

extension Gateway {
    var healthRoutes: [Route] {
        // Written once: load balancers ask often, and the benchmark compares decisions with this answer.
        let alive = Answer.json { $0.field("status", "ok") }
        let ready = Answer.json { $0.field("status", "ready") }
        return [
            Route(
                .get, "/healthz", name: "getHealth", summary: "Alive.",
                successes: [Success(200, "Alive.", schema: "Health")], secured: false
            ) { _ in alive },
            Route(
                .get, "/readyz", name: "getReadiness", summary: "Whether anything can be decided.",
                successes: [Success(200, "Ready.", schema: "Health")], problems: [503], secured: false
            ) { _ in
                guard settings.isServing() else {
                    throw Problem(.serviceUnavailable, code: "draining", detail: "This gateway is going away.")
                }
                guard node.canDecide else { throw Problem.ledgerUnavailable("Nothing can be decided now.") }
                return ready
            },
        ]
    }

    /// - Parameter keyNeeded: on the public listener only keys of the root that may read see the metrics.
    func metricsRoute(keyNeeded: Bool) -> Route {
        Route(
            .get, "/metrics", name: "getMetrics", summary: "Metrics in the text exposition format.",
            successes: [Success(200, "Metrics.", schema: "Metrics", contentType: "text/plain")], secured: keyNeeded
        ) { call in
            if keyNeeded {
                let visitor = try await doorkeeper.admit(call)
                guard visitor.isAtRoot, visitor.caller.role == .viewer || visitor.caller.role == .admin else {
                    throw Problem.forbidden("Metrics are for viewers of the root account.")
                }
            }
            return .text(await settings.metrics(), type: "text/plain; version=0.0.4; charset=utf-8")
        }
    }
}
