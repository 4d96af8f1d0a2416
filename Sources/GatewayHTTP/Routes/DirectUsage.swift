// Charges without a reservation.

import Crypto
import GatewayNode
import HTTPSupport
import HTTPTypes
import Ledger
import NIOCore

extension Gateway {
    var usageRoutes: [Route] {
        [
            Route(
                .post, "/v1/usage", name: "chargeUsage",
                summary: "Charge without a reservation. It always books: what was used was used.", body: "UsageRequest",
                bodyLimit: Limits.decisionBytes, parameters: [.idempotencyKey],
                successes: [
                    Success(200, "Booked.", schema: "Charge"),
                    Success(202, "In this node's memory only.", schema: "Charge"),
                ], problems: [404, 409, 429], handler: chargeUsage)
        ]
    }

    private func chargeUsage(_ call: Call) async throws -> Answer {
        let visitor = try await doorkeeper.admit(call)
        try call.noQuery()
        let bytes = try await call.body()
        return try await idempotency.run(call, credential: visitor.caller.credential, body: bytes) {
            let body = try UsageBody.decode(bytes)
            let (account, horizon) = try await visitor.spending(as: body.account)
            let (outcome, booked) = await visitor.organisation.charge(
                account: account, use: body.use, model: body.model, changeID: Self.changeID(call, visitor))
            return try outcome.chargeAnswer(account: account, booked: booked) {
                refusalProblem($0, visitor, horizon)
            }
        }
    }

    /// The same for every repeat under one Idempotency-Key, on every node; else fresh.
    private static func changeID(_ call: Call, _ visitor: Visitor) -> String {
        guard let key = call.headers[.idempotencyKey] else { return RandomIdentifier.make(length: 24) }
        let digest = SHA256.hash(data: Array("\(visitor.caller.credential)\n\(key)".utf8))
        return "k" + digest.prefix(16).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
