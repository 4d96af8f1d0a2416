// The wire form of commits, releases and direct charges.

import GatewayNode
import HTTPSupport
import HTTPTypes

extension SettlementOutcome {
    /// The answer to a commit.
    func commitAnswer(id: String, refused: (Refusal) -> Problem) throws(Problem) -> Answer {
        switch self {
        case .committed(let charged, let late, let overrun, _):
            return .json { json in
                json.field("id", id)
                json.field("state", "committed")
                json.nodeAmounts("charged", charged)
                json.field("late", late)
                json.field("overrun", overrun)
            }
        case .pending: return Self.pendingAnswer(id: id)
        case .released: throw .conflict("The reservation was released.", code: "reservation_released")
        case .conflict(let detail): throw .conflict(detail, code: "reservation_settled")
        case .unknown: throw .notFound("There is no such reservation.")
        case .refused(let refusal): throw refused(refusal)
        }
    }

    /// The answer to a release.
    func releaseAnswer(id: String, refused: (Refusal) -> Problem) throws(Problem) -> Answer {
        switch self {
        case .released: return .noContent
        case .pending: return Self.pendingAnswer(id: id)
        case .committed: throw .conflict("The reservation was committed.", code: "reservation_committed")
        case .conflict(let detail): throw .conflict(detail, code: "reservation_settled")
        case .unknown: throw .notFound("There is no such reservation.")
        case .refused(let refusal): throw refused(refusal)
        }
    }

    /// The answer to a direct charge: 200 when the ledger has it, 202 while this node's memory alone has it.
    func chargeAnswer(account: String, booked: Bool, refused: (Refusal) -> Problem) throws(Problem) -> Answer {
        switch self {
        case .committed(let charged, _, let overrun, _):
            return .json(booked ? .ok : .accepted) { json in
                json.field("account", account)
                json.field("state", booked ? "booked" : "pending")
                json.nodeAmounts("charged", charged)
                json.field("overrun", overrun)
            }
        case .pending:
            return .json(.accepted, headers: [.retryAfter: "1"]) { json in
                json.field("account", account)
                json.field("state", "pending")
            }
        case .refused(let refusal): throw refused(refusal)
        case .unknown: throw .notFound("There is no such account.")
        case .released: throw .conflict("The charge was withdrawn.")
        case .conflict(let detail): throw .conflict(detail)
        }
    }

    private static func pendingAnswer(id: String) -> Answer {
        .json(.accepted, headers: [.retryAfter: "1"]) { json in
            json.field("id", id)
            json.field("state", "pending")
        }
    }
}
