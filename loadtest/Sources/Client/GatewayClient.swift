// The two calls that a proxy makes for each of its requests, and what their answers mean for the run.

import Foundation
import QuotaCore

/// A budget's full name.
package struct BudgetName: Sendable, Hashable, Comparable, CustomStringConvertible {
    package var account: String
    package var budget: String

    package var description: String { "\(account)/\(budget)" }

    package static func < (left: BudgetName, right: BudgetName) -> Bool {
        (left.account, left.budget) < (right.account, right.budget)
    }
}

/// A gateway's answer to a reservation.
enum ReservationAnswer: Sendable, Hashable {
    case admitted(id: String, isRerouted: Bool)
    /// Any other answer. `isDecision` is false where the gateway was unable to decide.
    case refused(code: String, isDecision: Bool, by: [BudgetName])
}

/// A gateway's answer to a commit.
enum CommitAnswer: Sendable, Hashable {
    /// `tokens` and `nanoDollars` are what the answer says was charged, where it does.
    case committed(tokens: Int64?, nanoDollars: Int64)
    /// Not settled yet, or the gateway failed: the same commit may be sent again.
    case again(reason: String)
    /// Will never be accepted.
    case refused(reason: String)
}

/// One gateway.
struct GatewayClient: Sendable {
    let url: String
    private let caller: HTTPCaller
    /// By account: the body up to the figures of the estimate.
    private let openings: [String]

    init(url: String, caller: HTTPCaller, options: LoadOptions) {
        self.url = url
        self.caller = caller
        openings = options.accounts.map { account in
            let model = options.model.map { "\"model\":\(Self.quoted($0))," } ?? ""
            return "{\"account\":\"\(account)\",\(model)\"ttl_s\":\(options.reservationTTLSeconds),\"estimate\":{"
        }
    }

    /// - Throws: when no answer came; a hold may exist then.
    func reserve(_ arrival: Arrival) async throws -> ReservationAnswer {
        let estimate = "\"input_tokens\":\(arrival.inputTokens),\"output_tokens\":\(arrival.estimatedOutput)}}"
        let answer = try await caller.post(url + "/v1/reservations", body: openings[arrival.account] + estimate)
        if answer.status == 201 {
            guard let allowed = try? Self.decode(Allowed.self, answer.body), Self.isPathSafe(allowed.id) else {
                return .refused(code: "unreadable_answer", isDecision: false, by: [])
            }
            return .admitted(id: allowed.id, isRerouted: allowed.decision == "reroute")
        }
        let problem = try? Self.decode(Problem.self, answer.body)
        let by = (problem?.refusedBy ?? []).compactMap { refusal -> BudgetName? in
            guard let account = refusal.account, let budget = refusal.budget else { return nil }
            return BudgetName(account: account, budget: budget)
        }
        let isDecision = [403, 422, 429].contains(answer.status)
        return .refused(code: problem?.code ?? "status_\(answer.status)", isDecision: isDecision, by: by)
    }

    /// - Throws: when no answer came; the commit may have been done.
    func commit(_ id: String, _ arrival: Arrival) async throws -> CommitAnswer {
        let usage = "\"input_tokens\":\(arrival.inputTokens),\"output_tokens\":\(arrival.outputTokens)"
        let answer = try await caller.post(url + "/v1/reservations/\(id)/commit", body: "{\"usage\":{\(usage)}}")
        switch answer.status {
        case 200:
            guard let settled = try? Self.decode(Settled.self, answer.body), settled.state == "committed" else {
                return .refused(reason: "unreadable_answer")
            }
            let dollars = settled.charged?.usd.flatMap { try? Amount.parseNano($0.text) }
            return .committed(tokens: settled.charged?.tokens, nanoDollars: dollars ?? 0)
        case 202: return .again(reason: "pending")
        case 408, 500...599: return .again(reason: code(answer))
        default: return .refused(reason: code(answer))
        }
    }

    private func code(_ answer: HTTPAnswer) -> String {
        (try? Self.decode(Problem.self, answer.body))?.code ?? "status_\(answer.status)"
    }

    private struct Allowed: Decodable {
        var id: String
        var decision: String?
    }

    private struct Problem: Decodable {
        struct Refusal: Decodable {
            var account: String?
            var budget: String?
        }
        var code: String?
        var refusedBy: [Refusal]?
    }

    private struct Settled: Decodable {
        struct Charge: Decodable {
            var tokens: Int64?
            var usd: DecimalText?
        }
        var state: String
        var charged: Charge?
    }

    private static func decode<Value: Decodable>(_ type: Value.Type, _ body: Data) throws -> Value {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(type, from: body)
    }

    /// Whether an id can stand in a path as it is.
    private static func isPathSafe(_ id: String) -> Bool {
        !id.isEmpty && id.utf8.count <= 4096
            && id.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
                case UInt8(ascii: "0")...UInt8(ascii: "9"): true
                case UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "~"): true
                default: false
                }
            }
    }

    /// A JSON string.
    private static func quoted(_ text: String) -> String {
        guard let data = try? JSONEncoder().encode(text) else { return "\"\"" }
        return String(decoding: data, as: UTF8.self)
    }
}
