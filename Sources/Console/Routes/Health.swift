// For load balancers: alive, ready.

import HTTPSupport
import HTTPTypes
import Ledger
import RedisClient

extension Console {
    var healthRoutes: [Route] {
        let alive = Answer.json { $0.field("status", "ok") }
        let ready = Answer.json { $0.field("status", "ready") }
        return [
            Route(
                .get, "/healthz", name: "getHealth", summary: "Alive.",
                successes: [Success(200, "Alive.", schema: "Health")], secured: false
            ) { _ in alive },
            Route(
                .get, "/readyz", name: "getReadiness", summary: "Whether the ledger can be reached.",
                successes: [Success(200, "Ready.", schema: "Health")], problems: [503], secured: false
            ) { _ in
                do {
                    _ = try await ledger.redis.send(["PING"], timeout: .seconds(1))
                } catch {
                    throw Problem.ledgerUnavailable()
                }
                return ready
            },
        ]
    }
}
