// A settlement survives its way between two nodes.

import Foundation
import GatewayNode
import QuotaCore
import Testing

@testable import GatewayHTTP

@Suite("Relayed settlements")
struct RelayAnswerTests {
    @Test("Every outcome but a refusal arrives as it left")
    func roundTrip() throws {
        let outcomes: [SettlementOutcome] = [
            .committed(charged: Amounts(tokens: 1, usd: 2, requests: 3), late: true, overrun: false, repeated: true),
            .pending, .released, .conflict("released"), .unknown,
        ]
        for outcome in outcomes {
            let answer = try #require(RelayAnswer(outcome))
            let back = try JSONDecoder().decode(RelayAnswer.self, from: JSONEncoder().encode(answer)).outcome
            #expect(String(describing: back) == String(describing: Optional(outcome)))
        }
    }
}
