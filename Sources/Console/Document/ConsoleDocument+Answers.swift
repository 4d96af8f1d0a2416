// What answers carry.

extension Schemas {
    private static var shownPeriod: String { answer([("id", string), ("start", time), ("end", time)]) }

    private static var live: String {
        answer([
            ("period", shownPeriod), ("allowance", figure), ("remaining", figure), ("available", figure),
            ("spent", figure), ("leased", figure), ("in_doubt", figure), ("worst_case_exposure", exposure),
            (
                "exposure",
                answer([
                    ("above_limit", figure), ("granted_lately", figure), ("emergency", figure),
                    ("overruns", words("none", "unbounded")),
                ])
            ),
            ("block_bound_s", count), ("enforced", flag),
            ("state", words("active", "warned", "rerouting", "throttled", "exhausted", "blocked")),
            ("version", version),
        ])
    }

    private static var block: [(String, String)] { [("reason", string), ("actor", string), ("blocked_at", time)] }

    private static var key: [(String, String)] {
        [
            ("id", id), ("account", id), ("name", string),
            ("role", words("proxy", "member", "head", "viewer", "admin")), ("principal", nullableString),
            ("default_account", nullableID), ("created_at", time), ("expires_at", nullableTime),
            ("revoked_at", nullableTime), ("version", version),
        ]
    }

    private static var statement: String {
        answer([
            ("period", shownPeriod), ("state", words("upcoming", "open", "ended", "closed")),
            ("closed_at", nullableTime), ("unit", unit),
            ("amount", figure), ("adjusted", figure), ("rollover", figure), ("allowance", figure), ("spent", figure),
            ("charged_directly", figure), ("leased", figure), ("in_doubt", figure), ("remaining", figure),
            ("available", figure), ("rolled_over", orNull(figure)), ("late", orNull(figure)),
            ("late_at", nullableTime),
        ])
    }

    private static var doubtPlace: [(String, String)] {
        [
            ("id", string), ("account", id), ("budget", id), ("period", shownPeriod), ("node", nullableString),
            ("session", string),
        ]
    }

    private static var event: String {
        let record = #"{"type":["object","string","null"]}"#
        return answer([
            ("version", version), ("kind", string), ("time", time), ("actor", nullableString),
            ("change", nullableString), ("target", nullableString), ("account", nullableString),
            ("budget", nullableString), ("key", nullableString), ("before", record), ("after", record),
            ("reason", nullableString), ("others", #"{"type":"object","additionalProperties":{"type":"string"}}"#),
        ])
    }

    static var answers: [(name: String, json: String)] {
        let account = [("id", id)] + accountMembers
        let budget = [("account", id), ("budget", id)] + budgetMembers
        return [
            (
                "Organisation",
                answer([
                    ("id", id), ("name", string), ("timezone", string), ("durability", string), ("unpriced", string),
                    ("created_at", time), ("history", string), ("version", version),
                ])
            ), ("OrganisationList", page("Organisation")),
            (
                "Account",
                object(
                    ["id", "archived", "block", "version"],
                    account + [("archived", flag), ("block", orNull(answer(block))), ("version", version)])
            ), ("AccountList", page("Account")),
            (
                "Budget",
                object(
                    ["account", "budget", "unit", "amount", "mode", "period", "policy", "outage", "version", "live"],
                    budget + [("version", version), ("live", live)])
            ), ("BudgetList", page("Budget")), ("Statement", statement), ("StatementList", page("Statement")),
            (
                "Adjustment",
                answer([
                    ("id", id), ("amount", figure), ("reason", string), ("actor", nullableString),
                    ("expires", nullableString), ("from", time), ("created_at", time),
                ])
            ), ("AdjustmentList", page("Adjustment")), ("Block", answer([("account", id)] + block)),
            ("Key", answer(key)), ("NewKey", answer([("key", string)] + key)), ("KeyList", page("Key")),
            (
                "Node",
                answer([
                    ("node", string), ("session", string), ("state", words("alive", "expired", "over", "gone")),
                    ("advertise", nullableString), ("rules_version", version), ("leases", count),
                    ("open_reservations", count), ("started_at", time), ("seen_at", time), ("expires_at", time),
                ])
            ), ("NodeList", page("Node")),
            (
                "Reservation",
                answer([
                    ("session", string), ("node", string), ("number", count), ("state", words("open", "in_doubt")),
                    ("reported_at", time),
                ])
            ), ("ReservationList", page("Reservation")),
            (
                "Doubt",
                answer(
                    doubtPlace + [
                        ("seen_at", nullableTime), ("unit", unit), ("in_doubt", figure), ("resolvable", figure),
                    ])
            ),
            ("DoubtList", page("Doubt")),
            (
                "DoubtResolved",
                answer(
                    doubtPlace + [
                        ("resolution", words("charge", "release", "abandoned")), ("resolved", figure),
                        ("in_doubt", figure),
                    ])
            ),
            (
                "Check",
                answer([
                    ("account", id), ("budget", id), ("periods", count),
                    ("violations", list(answer([("period", string), ("start", time), ("detail", string)]))),
                ])
            ), ("CheckList", page("Check")), ("AuditEntry", event), ("AuditList", page("AuditEntry")),
            ("EventStream", #"{"type":"string"}"#), ("Health", answer([("status", string)])),
            ("Document", #"{"type":"object"}"#),
        ]
    }
}
