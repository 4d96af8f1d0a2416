// What the handlers of a gateway share, and the table of its operations.

import GatewayNode
import HTTPSupport
import HTTPTypes
import Ledger
import QuotaCore

/// The decision API over one node. Its operations are in extensions, one file a subject.
struct Gateway: Sendable {
    let node: GatewayNode
    let doorkeeper: Doorkeeper
    let idempotency: IdempotencyStore
    let settings: GatewaySettings

    init(node: GatewayNode, settings: GatewaySettings) {
        self.node = node
        self.settings = settings
        doorkeeper = Doorkeeper(node: node, bootstrapToken: settings.bootstrapToken)
        idempotency = IdempotencyStore(limits: settings.idempotency)
    }

    /// The operations of the public listener.
    func routes() -> RouteTable {
        var routes = reservationRoutes + usageRoutes + leaseRoutes + viewRoutes + healthRoutes
        routes.append(metricsRoute(keyNeeded: true))
        routes.append(relayRoute)
        let document = Answer(json: GatewayDocument.document.json(routes + [Self.documentRoute(Answer.noContent)]))
        return table(routes + [Self.documentRoute(document)])
    }

    /// The operations of the admin listener, which needs no key: it belongs on an address that only operators reach.
    func adminRoutes() -> RouteTable { table(healthRoutes + [metricsRoute(keyNeeded: false)]) }

    private func table(_ routes: [Route]) -> RouteTable {
        RouteTable(routes, limits: settings.limits) { error in
            guard let error = error as? LedgerError else { return nil }
            return Self.problem(error)
        }
    }

    private static func documentRoute(_ answer: Answer) -> Route {
        Route(
            .get, "/openapi.json", name: "getDocument", summary: "This document.",
            successes: [Success(200, "The OpenAPI document.", schema: "Document")], secured: false
        ) { call in
            try call.noQuery()
            return answer
        }
    }

    /// What the ledger refuses to a node is an inability of ours, never the client's fault.
    private static func problem(_ error: LedgerError) -> Problem? {
        switch error.code {
        case .unavailable, .notDurable, .noOrganisation, .refused: .ledgerUnavailable()
        case .notFound: .notFound()
        case .conflict: .conflict("The state of the books does not allow it.")
        case .precondition: .preconditionFailed()
        case .invalid(let pointer): .invalid(pointer, error.message)
        case .unexpectedAnswer: nil
        }
    }

    /// An id from the path that could be ours.
    /// - Throws: 404.
    func sealedID(_ call: Call, prefix: String) throws(Problem) -> String {
        let id = call.parameter("id")
        guard id.utf8.count <= Limits.sealedID, id.hasPrefix(prefix) else { throw .notFound() }
        return id
    }

    func refusalProblem(_ refusal: Refusal, _ visitor: Visitor, _ horizon: Horizon) -> Problem {
        refusal.problem(
            decisionID: visitor.organisation.seal(refusal.receipt),
            RefusalContext(
                horizon: horizon, now: visitor.organisation.nowMilliseconds(), increaseURL: settings.increaseURL))
    }
}

/// What a gateway's HTTP side can be told.
package struct GatewaySettings: Sendable {
    /// `BURSAR_ADMIN_TOKEN`; nil: there is no bootstrap credential.
    package var bootstrapToken: String?
    /// Where people ask for more, shown in refusals; `{account}` is put in. Nil: not shown.
    package var increaseURL: String?
    package var idempotency = IdempotencyStore.Limits()
    package var limits = RequestLimits()
    /// The text exposition of the metrics.
    package var metrics: @Sendable () async -> String = { "" }
    /// False while the gateway drains; `/readyz` then says no.
    var isServing: @Sendable () -> Bool = { true }

    package init() {}
}
