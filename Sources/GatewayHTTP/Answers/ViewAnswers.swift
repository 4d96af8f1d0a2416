// The wire forms of what can be looked at: reservations, receipts, accounts as this node knows them, sub-leases.

import GatewayNode
import HTTPSupport

extension ReservationStatus {
    func answer(id: String) -> Answer {
        .json { json in
            json.field("id", id)
            json.field("state", state.rawValue)
            json.field("account", token.account)
            json.field("model", token.model)
            json.time("reserved_at", token.reservedAt)
            json.time("expires_at", expiresAt)
            if let charged { json.nodeAmounts("charged", charged) } else { json.field("charged", nil as String?) }
        }
    }
}

extension Receipt {
    func answer(id: String, _ horizon: Horizon) -> Answer {
        .json { json in
            json.field("decision_id", id)
            json.field("outcome", outcome)
            json.field("account", account)
            json.field("model", model)
            json.nodeAmounts("requested", requested)
            json.time("decided_at", time)
            json.field("node", node)
            json.field("session", session)
            json.field("rules_version", rulesVersion)
            json.field("prices_version", pricesVersion)
            json.array("budgets", budgets) { json, figures in
                json.object { json in
                    json.figures(figures, horizon)
                    json.field("version", horizon.sees(figures) ? figures.version : nil)
                }
            }
        }
    }
}

extension AccountSnapshot {
    func answer(_ horizon: Horizon) -> Answer {
        .json { json in
            json.field("account", account)
            json.array("path", path.filter(horizon.sees)) { $0.string($1) }
            json.field("state", blockedReason == nil ? "active" : "blocked")
            json.field("blocked_reason", blockedReason)
            json.field("version", version)
            json.array("budgets", slices) { json, slice in
                let visible = horizon.sees(slice.figures)
                let unit = slice.figures.unit
                json.object { json in
                    json.figures(slice.figures, horizon)
                    json.field("state", visible ? slice.state : nil)
                    json.object("slice") { json in
                        json.bookAmount("granted", visible ? slice.granted : nil, unit)
                        json.bookAmount("used", visible ? slice.used : nil, unit)
                        json.bookAmount("reserved", visible ? slice.reserved : nil, unit)
                        json.bookAmount("available", visible ? slice.available : nil, unit)
                    }
                }
            }
        }
    }
}

extension SubLease {
    func write(into json: inout JSONWriter) {
        json.field("id", id)
        json.field("account", account)
        json.nodeAmounts("granted", granted)
        json.nodeAmounts("used", used)
        json.time("expires_at", expiresAt)
    }
}
