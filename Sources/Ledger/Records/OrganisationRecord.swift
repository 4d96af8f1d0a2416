// What holds for a whole organisation. Its books begin with this record.

import QuotaCore

/// An organisation as the console shows it.
package struct OrganisationRecord: Sendable, Hashable, Codable, RecordFields {
    /// Also the id of its root account.
    package var id: String
    package var name: String
    /// The zone of budgets that name none.
    package var timezone: String
    package var durability: Durability
    package var unpriced: UnpricedRule

    package enum CodingKeys: String, CodingKey, CaseIterable, Sendable {
        case id, name, timezone, durability, unpriced
    }

    package init(
        id: String, name: String? = nil, timezone: String = "UTC", durability: Durability = .relaxed,
        unpriced: UnpricedRule = .deny
    ) {
        self.id = id
        self.name = name ?? id
        self.timezone = timezone
        self.durability = durability
        self.unpriced = unpriced
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            id: try container.decode(String.self, forKey: .id),
            name: try container.decodeIfPresent(String.self, forKey: .name),
            timezone: try container.decodeIfPresent(String.self, forKey: .timezone) ?? "UTC",
            durability: try container.choice(.durability, words: Durability.choices) ?? .relaxed,
            unpriced: try container.choice(.unpriced, of: UnpricedRule.allCases) ?? .deny)
    }

    /// What is wrong with the record; empty when nothing is.
    package func validate() -> [(pointer: String, detail: String)] {
        var problems = FieldProblems()
        problems.identifier(id, at: "/id")
        problems.text(name, at: "/name", maximumBytes: 200)
        do {
            _ = try PeriodRule(every: .day, timezone: timezone)
        } catch {
            problems.add("/timezone", error.message)
        }
        return problems.list
    }
}
