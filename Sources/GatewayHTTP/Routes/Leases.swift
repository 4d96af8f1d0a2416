// Sub-leases: a proxy that decides by itself leases from its gateway, by the same protocol one level down.

import GatewayNode
import HTTPSupport
import HTTPTypes

extension Gateway {
    private static let sealedLease = ["id": #"{"type":"string","minLength":1,"maxLength":256}"#]

    var leaseRoutes: [Route] {
        [
            Route(
                .post, "/v1/leases", name: "openLease", summary: "Lease allowance to decide with.",
                body: "LeaseRequest", bodyLimit: Limits.decisionBytes, parameters: [.idempotencyKey],
                successes: [Success(201, "Granted.", schema: "Lease")], problems: [404, 429], handler: openLease),
            Route(
                .post, "/v1/leases/{id}/report", name: "reportLease",
                summary: "Tell what was used and what is wanted, in totals since the lease began.",
                body: "LeaseReport", bodyLimit: Limits.decisionBytes, parameters: [.idempotencyKey],
                pathSchemas: Self.sealedLease, successes: [Success(200, "Taken.", schema: "Lease")], problems: [429],
                handler: reportLease),
            Route(
                .delete, "/v1/leases/{id}", name: "endLease",
                summary: "End a lease: what the last report has not used goes back.", pathSchemas: Self.sealedLease,
                successes: [Success(204, "Ended.")], problems: [409, 429], handler: endLease),
        ]
    }

    private func openLease(_ call: Call) async throws -> Answer {
        let visitor = try await doorkeeper.admit(call)
        try call.noQuery()
        let bytes = try await call.body()
        return try await idempotency.run(
            call, credential: visitor.caller.credential, body: bytes, keep: { _ in .seconds(600) }
        ) {
            let body = try LeaseBody.decode(bytes)
            let (account, horizon) = try await visitor.spending(as: body.account)
            let outcome = await visitor.organisation.openLease(
                account: account, units: body.units, timeToLive: .seconds(body.timeToLive))
            return Answer(.created, json: try granted(outcome, visitor, horizon))
        }
    }

    private func reportLease(_ call: Call) async throws -> Answer {
        let (visitor, id) = try await lease(call)
        let bytes = try await call.body()
        return try await idempotency.run(
            call, credential: visitor.caller.credential, body: bytes, keep: { _ in .seconds(600) }
        ) {
            let body = try LeaseReportBody.decode(bytes)
            let outcome = await visitor.organisation.report(lease: id, used: body.used, want: body.want)
            return Answer(json: try granted(outcome, visitor, visitor.ownHorizon))
        }
    }

    private func endLease(_ call: Call) async throws -> Answer {
        let (visitor, id) = try await lease(call)
        _ = try granted(await visitor.organisation.endLease(id, used: nil), visitor, visitor.ownHorizon)
        return .noContent
    }

    private func lease(_ call: Call) async throws -> (Visitor, id: String) {
        let visitor = try await doorkeeper.admit(call)
        try call.noQuery()
        guard visitor.caller.role.spends else {
            throw Problem.forbidden("A \(visitor.caller.role.rawValue) key may not spend.")
        }
        let id = call.parameter("id")
        guard (1...256).contains(id.utf8.count) else { throw Problem.notFound("There is no such lease.") }
        return (visitor, id)
    }

    private func granted(_ outcome: LeaseOutcome, _ visitor: Visitor, _ horizon: Horizon) throws(Problem) -> JSONWriter
    {
        switch outcome {
        case .unknown: throw .notFound("There is no such lease.")
        case .refused(let refusal): throw refusalProblem(refusal, visitor, horizon)
        case .conflict(let detail): throw .conflict(detail)
        case .granted(let lease):
            var json = JSONWriter()
            json.object { lease.write(into: &$0) }
            return json
        }
    }
}
