// The bodies of sub-leases: what a proxy that decides by itself holds of the gateway's own leases.

import HTTPSupport
import NIOCore
import QuotaCore

/// The body of `POST /v1/leases`.
struct LeaseBody: Sendable {
    var account: String?
    /// Node units (nano-dollars, tokens, requests).
    var units: [BudgetUnit: Int64]
    /// Seconds.
    var timeToLive: Int64

    static func decode(_ body: ByteBuffer) throws(Problem) -> LeaseBody {
        try JSONFields.decode(body) { (fields: inout JSONFields) throws(Problem) in
            fields.require("units")
            return LeaseBody(
                account: fields.identifier("account"), units: try fields.units("units", mayBeEmpty: false) ?? [:],
                timeToLive: fields.integer("ttl_s", in: Limits.timeToLive) ?? Limits.defaultLeaseTimeToLive)
        }
    }
}

/// The body of `POST /v1/leases/{id}/report`: cumulative totals.
struct LeaseReportBody: Sendable {
    var used: [BudgetUnit: Int64]
    var want: [BudgetUnit: Int64]

    static func decode(_ body: ByteBuffer) throws(Problem) -> LeaseReportBody {
        try JSONFields.decode(body) { (fields: inout JSONFields) throws(Problem) in
            fields.require("used")
            return LeaseReportBody(used: try fields.units("used") ?? [:], want: try fields.units("want") ?? [:])
        }
    }
}

extension JSONFields {
    /// Amounts by unit.
    mutating func units(_ name: StaticString, mayBeEmpty: Bool = true) throws(Problem) -> [BudgetUnit: Int64]? {
        try object(name) { (fields: inout JSONFields) throws(Problem) in
            var units: [BudgetUnit: Int64] = [:]
            units[.tokens] = fields.count("tokens")
            units[.requests] = fields.count("requests")
            units[.usd] = fields.dollars("usd", places: 9)
            if fields.isEmpty, !mayBeEmpty { fields.fail("must hold at least one amount") }
            return units
        }
    }
}
