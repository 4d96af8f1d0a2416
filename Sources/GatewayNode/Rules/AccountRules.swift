// From the ledger's records to a chain: what a node needs of an account, parsed once.

import Foundation
import Ledger
import QuotaCore

/// The parts of the console's records that decide requests.
struct AccountPolicyRecord: Decodable {
    struct Models: Decodable { var allow: [String]? }
    var models: Models?
}

struct BudgetPolicyRecord: Decodable {
    struct Step: Decodable {
        var at: DecimalText
        var `do`: StepKind
        var model: String?
        var requestsPerMinute: Int64?

        enum CodingKeys: String, CodingKey {
            case at, model
            case `do`
            case requestsPerMinute = "requests_per_minute"
        }
    }
    var policy: [Step]?
    var visibleBelow: Bool?

    enum CodingKeys: String, CodingKey {
        case policy
        case visibleBelow = "visible_below"
    }
}

struct BlockRecord: Decodable { var reason: String? }

/// Why rules could not be used.
struct RulesError: Error { let message: String }

enum AccountRules {
    /// The account itself, for the path.
    static func pathAccount(_ account: ResolvedAccount) throws -> PathAccount {
        let record = try decode(AccountPolicyRecord.self, account.record)
        var reason: String?
        if !account.block.isEmpty { reason = try decode(BlockRecord.self, account.block).reason ?? "" }
        return PathAccount(
            id: account.id, blockReason: reason, allowedModels: record.models?.allow, archived: account.archived)
    }

    static func rule(_ budget: ResolvedBudget, account: String) throws -> BudgetRule {
        guard let unit = BudgetUnit(rawValue: budget.unit) else { throw RulesError(message: "unit \(budget.unit)") }
        let record = try decode(BudgetPolicyRecord.self, budget.record)
        let steps = try (record.policy ?? []).map { step in
            // Fractions with up to four places are exact in 1/10,000.
            let micro = try Amount.parse(step.at.text, unit: .usd)
            return LadderStep(
                at: micro / 100, kind: step.do, rate: step.requestsPerMinute, model: step.model)
        }
        return BudgetRule(
            account: account, name: budget.name, generation: budget.generation, unit: unit,
            shadow: budget.mode == "shadow",
            steps: steps.sorted { $0.at < $1.at }, outage: outage(budget.outage),
            abandonedCharges: budget.abandoned != "release", visibleBelow: record.visibleBelow ?? false,
            version: budget.version)
    }

    /// "spend_leases:30", "deny", "allow:30:AMOUNT"
    static func outage(_ text: String) -> OutageRule {
        let fields = text.split(separator: ":")
        switch fields.first {
        case "deny": return .deny
        case "allow" where fields.count == 3:
            return .allow(seconds: Int64(fields[1]) ?? 30, amount: Int64(fields[2]) ?? 0)
        default: return .spendLeases(seconds: fields.count > 1 ? Int64(fields[1]) ?? 30 : 30)
        }
    }

    /// The period of a budget at a time (seconds): stored ones for calendar periods, arithmetic for minutes and hours.
    static func period(_ budget: ResolvedBudget, at time: Int64) -> (start: Int64, end: Int64)? {
        let length: Int64? = budget.every == "minute" ? 60 : budget.every == "hour" ? 3600 : nil
        if let length {
            let start = time / length * length
            return (start, start + length)
        }
        for item in budget.periods.split(separator: ",") {
            let fields = item.split(separator: ":", maxSplits: 2)
            guard fields.count == 3, let start = Int64(fields[0]), let end = Int64(fields[1]) else { continue }
            if start <= time && time < end { return (start, end) }
        }
        return nil
    }

    private static func decode<Value: Decodable>(_ type: Value.Type, _ text: String) throws -> Value {
        try JSONDecoder().decode(type, from: Data(text.utf8))
    }
}
