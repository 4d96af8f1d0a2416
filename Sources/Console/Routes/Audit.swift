// The audit: every change with who made it, what it was before and after, and why.

import HTTPSupport
import HTTPTypes
import Ledger
import QuotaCore

extension Console {
    var auditRoutes: [Route] {
        [
            Route(
                .get, "/api/v1/audit", name: "listAudit",
                summary: "What happened, the newest first. A page may be short and still have a next one.",
                parameters: Parameter.page + [
                    Parameter("account", schema: OpenAPIDocument.identifier, "Only of this account."),
                    Parameter(
                        "actor", schema: #"{"type":"string","minLength":1,"maxLength":256}"#, "Only by this one."),
                    Parameter(
                        "kind", schema: #"{"type":"string","minLength":1,"maxLength":64}"#,
                        "Only of this kind, such as `budget.put`."),
                ], successes: [Success(200, "A page of entries.", schema: "AuditList")], problems: [404],
                handler: listAudit)
        ]
    }

    private func listAudit(_ call: Call) async throws -> Answer {
        let (page, filter) = try call.query { (query) throws(Problem) in
            (
                try Page(&query),
                EventFilter(
                    account: query.string("account", maxBytes: 63), actor: query.string("actor", maxBytes: 256),
                    kind: query.string("kind", maxBytes: 64))
            )
        }
        let before = try page.position.map { (text) throws(Problem) in
            guard let version = Int64(text), (0...Amount.maximum).contains(version) else {
                throw .invalid("?cursor", "is not a cursor of this list")
            }
            return version
        }
        let visitor = try await admit(call)
        var sight = Sight(visitor, ledger)
        if let account = filter.account {
            guard Identifier.isValid(account) else { throw Problem.invalid("?account", "is not an id") }
            guard try await sight.sees(account) else { throw Problem.notFound("There is no such account.") }
        }
        let events = try await ledger.events(
            before: before, filter: filter, limit: page.limit, organisation: visitor.organisation)
        var shown: [EventRow] = []
        for event in events.items where try await sight.sees(event.account) { shown.append(event) }
        return Page.answer(shown, next: events.next.map { String($0) }) { json, event in
            json.object { $0.event(event) }
        }
    }
}

extension JSONWriter {
    /// An entry of the stream, without secrets and their hashes.
    mutating func event(_ event: EventRow) {
        func text(_ value: String) -> String? { value.isEmpty ? nil : value }
        field("version", event.version)
        field("kind", event.kind)
        time("time", event.time)
        field("actor", text(event.actor))
        field("change", text(event.change))
        field("target", text(event.target))
        field("account", text(event.account))
        field("budget", text(event.budget))
        field("key", text(event.key))
        record("before", event.before)
        record("after", event.after)
        field("reason", text(event.reason))
        object("others") { json in
            for (name, value) in event.others.sorted(by: { $0.key < $1.key }) { json.field(named: name, value) }
        }
    }

    /// A record as the value that it is, other texts as texts.
    private mutating func record(_ key: StaticString, _ text: String) {
        self.key(key)
        if text.isEmpty {
            null()
        } else if text.hasPrefix("{"), let value = JSONValue(text) {
            self.value(value.removing("sha256"))
        } else {
            string(text)
        }
    }
}
