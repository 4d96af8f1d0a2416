// The JSON Schemas of the decision API. Limits are the same numbers as in Limits; a test compares them.

import HTTPSupport

enum GatewayDocument {
    static let document = OpenAPIDocument(
        title: "Bursar gateway", version: "1",
        summary: "Decides whether a request may spend, holds the allowance meanwhile, and charges what was used.",
        schemas: schemas.map { ($0.name, $0.json) })

    private static let id = OpenAPIDocument.identifier
    private static let nullableID = #"{"type":["string","null"],"pattern":"^[a-z0-9][a-z0-9._-]{0,62}$"}"#
    private static let count = #"{"type":["integer","null"],"minimum":0,"maximum":4503599627370496}"#
    private static let tokens = #"{"type":["integer","null"],"minimum":0,"maximum":1099511627776}"#
    private static let model = #"{"type":["string","null"],"minLength":1,"maxLength":256}"#
    private static let time = #"{"type":["string","null"],"format":"date-time"}"#
    private static let lifetime = #"{"type":["integer","null"],"minimum":1,"maximum":3600}"#
    /// Micro-dollar precision going in; numbers are for convenience.
    private static let dollars6 =
        #"{"anyOf":[{"type":"string","pattern":"^[0-9]{1,9}(\\.[0-9]{1,6})?$"},{"type":"integer","minimum":0,"maximum":1000000000},{"type":"number","minimum":0,"maximum":1000000000},{"type":"null"}]}"#
    private static let dollars9 =
        #"{"anyOf":[{"type":"string","pattern":"^[0-9]{1,9}(\\.[0-9]{1,9})?$"},{"type":"integer","minimum":0,"maximum":1000000000},{"type":"number","minimum":0,"maximum":1000000000},{"type":"null"}]}"#
    private static let shownDollars = #"{"type":["string","null"],"pattern":"^-?[0-9]+(\\.[0-9]{1,9})?$"}"#
    private static let figure =
        #"{"description":"Dollars are decimal strings, counts are integers, null is not for this key.","type":["string","integer","null"]}"#
    private static let unit = #"{"type":"string","enum":["usd","tokens","requests"]}"#
    private static let version = #"{"type":["integer","null"]}"#

    private static func object(_ required: [String], _ members: KeyValuePairs<String, String>) -> String {
        let names = required.map { "\"\($0)\"" }.joined(separator: ",")
        let properties = members.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",")
        return #"{"type":"object","additionalProperties":false,"required":[\#(names)],"properties":{\#(properties)}}"#
    }

    private static func reference(_ name: String) -> String { ##"{"$ref":"#/components/schemas/\##(name)"}"## }

    private static func list(_ items: String) -> String { #"{"type":"array","items":\#(items)}"# }

    private static var shownAmounts: String {
        object([], ["tokens": #"{"type":"integer"}"#, "usd": shownDollars, "requests": #"{"type":"integer"}"#])
    }

    private static let amounts = object([], ["tokens": count, "usd": dollars9, "requests": count])

    private static var usageWords: String {
        object(
            [],
            [
                "input_tokens": tokens, "cache_read_tokens": tokens, "cache_write_5m_tokens": tokens,
                "cache_write_1h_tokens": tokens, "output_tokens": tokens, "reasoning_tokens": tokens,
                "audio_input_tokens": tokens, "audio_output_tokens": tokens,
            ])
    }

    private static var figureMembers: [(String, String)] {
        [
            ("account", nullableID), ("budget", nullableID), ("unit", unit), ("allowance", figure),
            ("remaining", figure), ("resets_at", time), ("as_of", time),
        ]
    }

    private static func figures(_ more: [(String, String)] = []) -> String {
        let members = figureMembers + more
        let names = members.map { "\"\($0.0)\"" }.joined(separator: ",")
        let properties = members.map { "\"\($0.0)\":\($0.1)" }.joined(separator: ",")
        return #"{"type":"object","additionalProperties":false,"required":[\#(names)],"properties":{\#(properties)}}"#
    }

    private static let provider = #"{"type":"object","description":"The provider's usage object, verbatim."}"#
    private static let format =
        #"{"type":"string","enum":["openai.chat","openai.responses","openai.embeddings","anthropic.messages"]}"#

    private static var schemas: [(name: String, json: String)] {
        requests + answers
    }

    private static var requests: [(name: String, json: String)] {
        let use: [(String, String)] = [
            ("usage", reference("Usage")), ("tokens", count), ("usd", dollars9), ("requests", count),
            ("provider_usage", provider), ("format", format), ("model", model),
        ]
        func useBody(_ more: [(String, String)], _ summary: String) -> String {
            let properties = (use + more).map { "\"\($0.0)\":\($0.1)" }.joined(separator: ",")
            return
                #"{"type":"object","description":"\#(summary)","additionalProperties":false,"minProperties":1,"properties":{\#(properties)}}"#
        }
        return [
            (
                "Estimate",
                #"{"type":"object","additionalProperties":false,"minProperties":1,"properties":{"input_tokens":\#(tokens),"output_tokens":\#(tokens),"tokens":\#(count),"usd":\#(dollars6),"requests":\#(count)}}"#
            ),
            (
                "ReservationRequest",
                object(
                    ["estimate"],
                    [
                        "account": nullableID, "model": model, "estimate": reference("Estimate"),
                        "principal": model,
                        "tags":
                            #"{"type":["object","null"],"maxProperties":32,"propertyNames":{"minLength":1,"maxLength":256},"additionalProperties":{"type":"string","maxLength":256}}"#,
                        "ttl_s": lifetime,
                    ])
            ),
            (
                "BatchRequest",
                object(
                    ["items"],
                    ["items": #"{"type":"array","maxItems":256,"items":\#(reference("ReservationRequest"))}"#])
            ),
            ("ExtendRequest", object(["estimate"], ["estimate": reference("Estimate"), "ttl_s": lifetime])),
            ("Usage", usageWords),
            ("CommitRequest", useBody([], "One of usage, amounts, or provider_usage with format.")),
            (
                "UsageRequest",
                useBody([("account", nullableID)], "One of usage, amounts, or provider_usage with format.")
            ),
            (
                "LeaseRequest",
                object(["units"], ["account": nullableID, "units": reference("Amounts"), "ttl_s": lifetime])
            ),
            ("LeaseReport", object(["used"], ["used": reference("Amounts"), "want": reference("Amounts")])),
            ("Amounts", amounts),
        ]
    }

    private static var answers: [(name: String, json: String)] {
        [
            (
                "Reservation",
                object(
                    ["id", "decision", "decision_id", "model", "account", "expires_at", "warnings", "budgets"],
                    [
                        "id": #"{"type":["string","null"]}"#,
                        "decision": #"{"type":"string","enum":["allow","reroute"]}"#,
                        "decision_id": #"{"type":"string"}"#, "model": model, "account": id, "expires_at": time,
                        "warnings": list(reference("Warning")), "budgets": list(reference("Figures")),
                    ])
            ),
            (
                "Warning",
                object(
                    ["code", "account", "budget", "detail"],
                    [
                        "code": #"{"type":"string"}"#, "account": nullableID, "budget": nullableID,
                        "detail": #"{"type":"string"}"#,
                    ])
            ),
            ("Figures", figures()),
            (
                "BatchAnswer",
                object(
                    ["items"],
                    [
                        "items": list(
                            object(
                                ["status", "body"],
                                [
                                    "status": #"{"type":"integer"}"#,
                                    "body":
                                        #"{"anyOf":[\#(reference("Reservation")),\#(reference("Problem"))]}"#,
                                ]))
                    ])
            ),
            (
                "Commit",
                object(
                    ["id", "state", "charged", "late", "overrun"],
                    [
                        "id": #"{"type":"string"}"#, "state": #"{"const":"committed"}"#, "charged": shownAmounts,
                        "late": #"{"type":"boolean"}"#, "overrun": #"{"type":"boolean"}"#,
                    ])
            ),
            (
                "Pending",
                object(["id", "state"], ["id": #"{"type":"string"}"#, "state": #"{"const":"pending"}"#])
            ),
            (
                "ReservationStatus",
                object(
                    ["id", "state", "account", "model", "reserved_at", "expires_at", "charged"],
                    [
                        "id": #"{"type":"string"}"#,
                        "state": #"{"type":"string","enum":["open","committed","released","expired","unknown"]}"#,
                        "account": id, "model": model, "reserved_at": time, "expires_at": time,
                        "charged": #"{"anyOf":[\#(shownAmounts),{"type":"null"}]}"#,
                    ])
            ),
            (
                "Charge",
                object(
                    ["account", "state"],
                    [
                        "account": id, "state": #"{"type":"string","enum":["booked","pending"]}"#,
                        "charged": shownAmounts, "overrun": #"{"type":"boolean"}"#,
                    ])
            ),
            (
                "Lease",
                object(
                    ["id", "account", "granted", "used", "expires_at"],
                    [
                        "id": #"{"type":"string"}"#, "account": id, "granted": shownAmounts, "used": shownAmounts,
                        "expires_at": time,
                    ])
            ),
            (
                "Receipt",
                object(
                    [
                        "decision_id", "outcome", "account", "model", "requested", "decided_at", "node", "session",
                        "rules_version", "prices_version", "budgets",
                    ],
                    [
                        "decision_id": #"{"type":"string"}"#, "outcome": #"{"type":"string"}"#, "account": id,
                        "model": model, "requested": shownAmounts, "decided_at": time,
                        "node": #"{"type":"string"}"#, "session": #"{"type":"string"}"#, "rules_version": version,
                        "prices_version": version, "budgets": list(figures([("version", version)])),
                    ])
            ),
            (
                "Account",
                object(
                    ["account", "path", "state", "blocked_reason", "version", "budgets"],
                    [
                        "account": id, "path": list(id), "state": #"{"type":"string","enum":["active","blocked"]}"#,
                        "blocked_reason": #"{"type":["string","null"]}"#, "version": version,
                        "budgets": list(figures([("state", #"{"type":["string","null"]}"#), ("slice", slice)])),
                    ])
            ),
            ("Health", object(["status"], ["status": #"{"type":"string"}"#])),
            ("Document", #"{"type":"object"}"#),
            ("Metrics", #"{"type":"string"}"#),
        ]
    }

    private static let slice = object(
        ["granted", "used", "reserved", "available"],
        ["granted": figure, "used": figure, "reserved": figure, "available": figure])
}
