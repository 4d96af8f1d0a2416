// Looking at decisions and accounts.

import GatewayNode
import HTTPSupport
import HTTPTypes
import QuotaCore

extension Gateway {
    private static let sealedDecision = ["id": #"{"type":"string","pattern":"^dec_[A-Za-z0-9_-]{1,4092}$"}"#]

    var viewRoutes: [Route] {
        [
            Route(
                .get, "/v1/decisions/{id}", name: "getDecision",
                summary: "The receipt of a decision, decoded and verified from the id itself.",
                pathSchemas: Self.sealedDecision, successes: [Success(200, "The receipt.", schema: "Receipt")],
                handler: getDecision),
            Route(
                .get, "/v1/accounts/{id}", name: "getAccount", summary: "What this node knows of an account.",
                successes: [Success(200, "Known here.", schema: "Account")], handler: getAccount),
        ]
    }

    private func getDecision(_ call: Call) async throws -> Answer {
        let visitor = try await doorkeeper.admit(call)
        try call.noQuery()
        let id = try sealedID(call, prefix: "dec_")
        guard let receipt = visitor.organisation.open(decision: id) else {
            throw Problem.notFound("There is no such decision.")
        }
        return receipt.answer(id: id, try await visitor.horizon(over: receipt.account))
    }

    private func getAccount(_ call: Call) async throws -> Answer {
        let visitor = try await doorkeeper.admit(call)
        try call.noQuery()
        let account = call.parameter("id")
        guard Identifier.isValid(account) else { throw Problem.notFound("There is no such account.") }
        let horizon = try await visitor.horizon(over: account)
        guard let snapshot = await visitor.organisation.snapshot(account: account) else {
            throw Problem.notFound("There is no such account.")
        }
        return snapshot.answer(horizon)
    }
}
