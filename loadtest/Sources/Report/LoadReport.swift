// The result of a run as programs read it. What only people want to know stands beside it and is not coded.

import Foundation

/// The report; its JSON has the contract's keys and no others.
package struct LoadReport: Sendable, Codable {
    /// Of decisions, from the time a request was due until its answer.
    package struct Latency: Sendable, Hashable, Codable {
        package var p50: UInt64
        package var p99: UInt64
    }

    package struct Budget: Sendable, Hashable, Codable {
        package var account: String
        package var budget: String
        package var allowance: ReportAmount
        /// In the period so far, by the books.
        package var spent: ReportAmount
        /// The sum of this run's commits that were acknowledged, by the clients.
        package var acknowledged: ReportAmount
        package var overspend: ReportAmount
        /// The share of the allowance that was spent or held when the budget first refused; nil when it never did.
        package var usedAtFirstDenial: Double?

        private enum CodingKeys: String, CodingKey {
            case account, budget, allowance, spent, acknowledged, overspend
            case usedAtFirstDenial = "used_at_first_denial"
        }

        package func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(account, forKey: .account)
            try container.encode(budget, forKey: .budget)
            try container.encode(allowance, forKey: .allowance)
            try container.encode(spent, forKey: .spent)
            try container.encode(acknowledged, forKey: .acknowledged)
            try container.encode(overspend, forKey: .overspend)
            try container.encode(usedAtFirstDenial, forKey: .usedAtFirstDenial)
        }
    }

    /// What the text says beyond the JSON.
    package struct Details: Sendable {
        package var scenario = ""
        package var gateways = 0
        package var accounts = 0
        /// Requests of the plan.
        package var planned = 0
        package var elapsed = Duration.zero
        package var counts = LoadCounts()
        package var slowestMicroseconds: UInt64 = 0
        package var commitP50Microseconds: UInt64 = 0
        package var commitP99Microseconds: UInt64 = 0
        package var booksChecked = 0
        package var booksFailed = 0
        package var notes: [String] = []

        package init() {}
    }

    /// Decisions divided by the time from the start to the last of them.
    package var decisionsPerSecond: Double
    /// In microseconds.
    package var latency: Latency
    /// Answers other than admissions, by their code; a gateway's inability to decide too.
    package var denials: [String: Int]
    /// Nil when no Redis was named.
    package var redisCommandsPerDecision: Double?
    /// Empty when no console was named.
    package var budgets: [Budget]
    /// Whether all readings of the books added up; nil when there was none.
    package var g1: Bool?
    package var verdict: Verdict
    package var details = Details()

    private enum CodingKeys: String, CodingKey {
        case denials, budgets, g1, verdict
        case decisionsPerSecond = "decisions_per_s"
        case latency = "latency_us"
        case redisCommandsPerDecision = "redis_commands_per_decision"
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(decisionsPerSecond, forKey: .decisionsPerSecond)
        try container.encode(latency, forKey: .latency)
        try container.encode(denials, forKey: .denials)
        try container.encode(redisCommandsPerDecision, forKey: .redisCommandsPerDecision)
        try container.encode(budgets, forKey: .budgets)
        try container.encode(g1, forKey: .g1)
        try container.encode(verdict, forKey: .verdict)
    }

    /// 0 when every guarantee held, else 1.
    package var exitCode: Int32 { verdict.isFine ? 0 : 1 }

    /// The report as a JSON document with a line end.
    ///
    /// - Throws: ``LoadError/Code/output``.
    package func json() throws(LoadError) -> Data { try ReportFile.json(self) }
}
