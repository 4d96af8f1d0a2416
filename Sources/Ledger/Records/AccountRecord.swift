// An account as people describe it. What it may spend is said by its budgets.

/// Someone who answers for an account: is notified, and decides requests.
package struct AccountHead: Sendable, Hashable, Codable, RecordFields {
    package var name: String
    package var email: String

    package enum CodingKeys: String, CodingKey, CaseIterable, Sendable { case name, email }

    package init(name: String, email: String) {
        self.name = name
        self.email = email
    }
}

/// Which models an account and all below it may use.
package struct ModelRule: Sendable, Hashable, Codable, RecordFields {
    /// Names of models, `*` standing for any characters. Nil allows all, an empty list none.
    package var allow: [String]?

    package enum CodingKeys: String, CodingKey, CaseIterable, Sendable { case allow }

    package init(allow: [String]? = nil) { self.allow = allow }
}

/// An account as the console shows it.
package struct AccountRecord: Sendable, Hashable, Codable, RecordFields {
    package var name: String?
    /// Nil for the root account only.
    package var parent: String?
    /// A word of the organisation's own: department, team, project, person.
    package var kind: String?
    package var heads: [AccountHead]?
    package var costCentre: String?
    package var labels: [String: String]?
    package var models: ModelRule?
    /// Whether the budgets below may sum up to more than its own.
    package var overcommit: Bool?

    package enum CodingKeys: String, CodingKey, CaseIterable, Sendable {
        case name, parent, kind, heads
        case costCentre = "cost_centre"
        case labels, models, overcommit
    }

    package init(
        name: String? = nil, parent: String? = nil, kind: String? = nil, heads: [AccountHead]? = nil,
        costCentre: String? = nil, labels: [String: String]? = nil, models: ModelRule? = nil, overcommit: Bool? = nil
    ) {
        self.name = name
        self.parent = parent
        self.kind = kind
        self.heads = heads
        self.costCentre = costCentre
        self.labels = labels
        self.models = models
        self.overcommit = overcommit
    }

    /// The record with what it leaves out: a name is the id.
    package func withDefaults(id: String) -> AccountRecord {
        var record = self
        record.name = name ?? id
        return record
    }

    /// What is wrong with the record; empty when nothing is. Whether the parent exists is for the books to say.
    package func validate() -> [(pointer: String, detail: String)] {
        var problems = FieldProblems()
        problems.text(name, at: "/name", maximumBytes: 200)
        problems.identifier(parent, at: "/parent")
        problems.text(kind, at: "/kind", maximumBytes: 63)
        problems.text(costCentre, at: "/cost_centre", maximumBytes: 100)
        if let heads, problems.count(heads.count, at: "/heads", maximum: 32) {
            for (index, head) in heads.enumerated() {
                problems.text(head.name, at: "/heads/\(index)/name", maximumBytes: 200)
                if !Self.isAddress(head.email) {
                    problems.add("/heads/\(index)/email", "must be an e-mail address of at most 254 bytes")
                }
            }
        }
        if let labels, problems.count(labels.count, at: "/labels", maximum: 64) {
            for (key, value) in labels.sorted(by: { $0.key < $1.key }) {
                let pointer = "/labels/\(FieldProblems.escape(key))"
                let before = problems.list.count
                problems.text(key, at: pointer, maximumBytes: 63)
                if problems.list.count == before {
                    problems.text(value, at: pointer, maximumBytes: 256, mayBeEmpty: true)
                }
            }
        }
        if let allow = models?.allow, problems.count(allow.count, at: "/models/allow", maximum: 256) {
            for (index, pattern) in allow.enumerated() {
                problems.text(pattern, at: "/models/allow/\(index)", maximumBytes: 256)
            }
        }
        problems.size(self)
        return problems.list
    }

    /// Loose on purpose: only delivery tells whether an address exists. No blanks and no brackets, so that it can stand in
    /// the head of a message.
    private static func isAddress(_ text: String) -> Bool {
        let parts = text.utf8.split(separator: UInt8(ascii: "@"), omittingEmptySubsequences: false)
        let forbidden = Array("<>,;:\"()\\".utf8)
        return text.utf8.count <= 254 && parts.count == 2 && parts.allSatisfy { !$0.isEmpty }
            && text.utf8.allSatisfy { $0 > UInt8(ascii: " ") && $0 != 0x7f && !forbidden.contains($0) }
    }
}
