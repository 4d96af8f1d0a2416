// What requests carry. Every body is strict: a field that is not named here is refused. What answers add may be sent back.

extension Schemas {
    private static let anything = "{}"

    private static var period: String {
        object(
            ["every"],
            [
                ("every", words("minute", "hour", "day", "week", "month", "quarter", "year")), ("timezone", timezone),
                ("starts_on_day", #"{"type":["integer","null"],"minimum":1,"maximum":31}"#),
                ("starts_in_month", #"{"type":["integer","null"],"minimum":1,"maximum":12}"#),
            ])
    }

    private static var step: String {
        object(
            ["at", "do"],
            [
                (
                    "at",
                    #"{"description":"The part of the allowance at which the step is reached, up to four places.","anyOf":[{"type":"number","exclusiveMinimum":0,"maximum":10},{"type":"string","pattern":"^[0-9]{1,2}(\\.[0-9]{1,4})?$"}]}"#
                ), ("do", words("warn", "reroute", "throttle", "block")), ("model", name(256)),
                ("requests_per_minute", #"{"type":["integer","null"],"minimum":1,"maximum":1000000}"#),
                ("notify", orNull(list(text(254), atMost: 32))),
            ])
    }

    private static var outage: String {
        object(
            ["mode"],
            [
                ("mode", words("deny", "spend_leases", "allow")),
                ("for_s", #"{"type":["integer","null"],"minimum":1,"maximum":86400}"#), ("amount", orNull(amount)),
            ])
    }

    static var budgetMembers: [(String, String)] {
        [
            ("unit", unit), ("amount", amount), ("mode", words("enforce", "shadow", orNull: true)), ("period", period),
            ("rollover", orNull(object(["max"], [("max", amount)]))),
            ("next", orNull(object(["amount", "from"], [("amount", amount), ("from", text(16))]))),
            ("policy", orNull(list(step, atMost: 8))), ("outage", orNull(outage)),
            ("abandoned", words("charge", "release", orNull: true)),
            ("on_request", orNull(object(["grace"], [("grace", amount)]))), ("visible_below", nullableFlag),
        ]
    }

    static var accountMembers: [(String, String)] {
        [
            ("name", name(200)), ("parent", nullableID), ("kind", name(63)),
            (
                "heads",
                orNull(
                    list(
                        object(["name", "email"], [("name", text(200)), ("email", text(254))]), atMost: 32))
            ), ("cost_centre", name(100)),
            (
                "labels",
                #"{"type":["object","null"],"maxProperties":64,"additionalProperties":{"type":"string","maxLength":256}}"#
            ), ("models", orNull(object([], [("allow", orNull(list(text(256), atMost: 256)))]))),
            ("overcommit", nullableFlag),
        ]
    }

    private static var organisationMembers: [(String, String)] {
        [
            ("name", name(200)), ("timezone", timezone),
            ("durability", #"{"type":["string","null"],"pattern":"^(relaxed|disk|replica(:[1-9])?)$"}"#),
            ("unpriced", words("deny", "max", "free", orNull: true)),
        ]
    }

    /// What answers have beyond bodies; passed over when it comes back.
    private static func echoed(_ names: String...) -> [(String, String)] { names.map { ($0, anything) } }

    static var bodies: [(name: String, json: String)] {
        let account = accountMembers + echoed("id", "version", "archived", "block")
        let budget = budgetMembers + echoed("account", "budget", "version", "live")
        let organisation = organisationMembers + echoed("id", "created_at", "history", "version")
        return [
            ("OrganisationBody", object([], organisation)), ("OrganisationPatch", object([], organisation)),
            ("AccountBody", object([], account)), ("AccountPatch", object([], account)),
            ("BudgetBody", object(["unit", "amount", "period"], budget)),
            ("BudgetPatch", object([], budget.map { ($0.0, $0.0 == "period" ? #"{"type":"object"}"# : $0.1) })),
            (
                "AdjustmentBody",
                object(
                    ["amount"],
                    [
                        ("amount", signedAmount), ("reason", #"{"type":["string","null"],"maxLength":1000}"#),
                        (
                            "expires",
                            #"{"description":"Left out: with the period. Null: never.","anyOf":[{"const":"period_end"},{"type":"string","format":"date-time"},{"type":"null"}]}"#
                        ),
                    ])
            ), ("BlockBody", object(["reason"], [("reason", text(1000))])),
            (
                "DoubtBody",
                object(
                    ["reason"],
                    [
                        (
                            "resolution",
                            #"{"description":"Left out: what the budget says of abandoned reservations.","type":["string","null"],"enum":["charge","release","abandoned",null]}"#
                        ), ("amount", orNull(amount)), ("reason", text(1000)),
                    ])
            ),
            (
                "KeyBody",
                object(
                    ["name", "role"],
                    [
                        ("name", text(200)), ("role", words("proxy", "member", "head", "viewer", "admin")),
                        ("principal", name(256)), ("default_account", nullableID), ("expires_at", nullableTime),
                    ])
            ), ("PriceBook", priceBook),
        ]
    }

    private static var priceBook: String {
        let price = orNull(amount)
        return object(
            [],
            [
                (
                    "prices",
                    orNull(
                        list(
                            object(
                                ["model", "input", "output"],
                                [
                                    ("model", text(256)), ("from", #"{"type":["string","null"],"format":"date"}"#),
                                    ("input", amount), ("cache_read", price), ("cache_write_5m", price),
                                    ("cache_write_1h", price), ("output", amount), ("reasoning", price),
                                    ("audio_input", price), ("audio_output", price),
                                    (
                                        "max_output_tokens",
                                        #"{"type":["integer","null"],"minimum":1,"maximum":1099511627776}"#
                                    ),
                                ]), atMost: 10_000))
                ),
                (
                    "aliases",
                    #"{"type":["object","null"],"maxProperties":1000,"additionalProperties":{"type":"string","minLength":1,"maxLength":256}}"#
                ),
            ])
    }
}
