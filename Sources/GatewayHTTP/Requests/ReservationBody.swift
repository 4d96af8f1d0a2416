// The body of a reservation, read straight into the node's words.

import GatewayNode
import HTTPSupport
import NIOCore
import QuotaCore

struct ReservationBody: Sendable {
    var account: String?
    var model: String?
    var estimate: Estimate
    var principal: String?
    var tags: [String: String]
    /// Seconds.
    var timeToLive: Int64

    static func decode(_ body: ByteBuffer) throws(Problem) -> ReservationBody {
        try JSONFields.decode(body) { (fields: inout JSONFields) throws(Problem) in try ReservationBody(&fields) }
    }

    init(_ fields: inout JSONFields) throws(Problem) {
        account = fields.identifier("account")
        model = fields.string("model", maxBytes: Limits.modelBytes)
        fields.require("estimate")
        estimate = try fields.estimate("estimate") ?? Estimate()
        principal = fields.string("principal", maxBytes: Limits.principalBytes)
        tags = fields.map("tags", maximum: Limits.tags, maxBytes: Limits.tagBytes) ?? [:]
        timeToLive = fields.integer("ttl_s", in: Limits.timeToLive) ?? Limits.defaultTimeToLive
    }
}

/// The body of `POST /v1/reservations:batch`.
struct BatchBody: Sendable {
    var items: [ReservationBody]

    static func decode(_ body: ByteBuffer) throws(Problem) -> BatchBody {
        try JSONFields.decode(body) { (fields: inout JSONFields) throws(Problem) in
            fields.require("items")
            let items = try fields.objects("items", maximum: Limits.batch) {
                (item: inout JSONFields) throws(Problem) in try ReservationBody(&item)
            }
            return BatchBody(items: items ?? [])
        }
    }
}

/// The body of `POST /v1/reservations/{id}/extend`: the new total, and how long from now.
struct ExtensionBody: Sendable {
    var estimate: Estimate
    /// Seconds.
    var timeToLive: Int64

    static func decode(_ body: ByteBuffer) throws(Problem) -> ExtensionBody {
        try JSONFields.decode(body) { (fields: inout JSONFields) throws(Problem) in
            fields.require("estimate")
            return ExtensionBody(
                estimate: try fields.estimate("estimate") ?? Estimate(),
                timeToLive: fields.integer("ttl_s", in: Limits.timeToLive) ?? Limits.defaultTimeToLive)
        }
    }
}

extension JSONFields {
    /// An account id.
    mutating func identifier(_ name: StaticString) -> String? {
        guard let value = string(name) else { return nil }
        if Identifier.isValid(value) { return value }
        fail("\(name)", "must match [a-z0-9][a-z0-9._-]{0,62}")
        return nil
    }

    /// Tokens of one kind in one request.
    mutating func tokenCount(_ name: StaticString) -> Int64? { integer(name, in: 0...Usage.maximumTokens) }

    /// Tokens in all, or requests.
    mutating func count(_ name: StaticString) -> Int64? { integer(name, in: 0...Limits.count) }

    /// Dollars as nano-dollars.
    mutating func dollars(_ name: StaticString, places: Int) -> Int64? {
        guard let value = decimal(name, places: places, in: 0...Limits.nanoDollars / Self.nano(beyond: places)) else {
            return nil
        }
        return value * Self.nano(beyond: places)
    }

    private static func nano(beyond places: Int) -> Int64 { places == 9 ? 1 : 1000 }

    mutating func estimate(_ name: StaticString) throws(Problem) -> Estimate? {
        try object(name) { (fields: inout JSONFields) throws(Problem) in
            let estimate = Estimate(
                inputTokens: fields.tokenCount("input_tokens"), outputTokens: fields.tokenCount("output_tokens"),
                tokens: fields.count("tokens"), usd: fields.dollars("usd", places: 6),
                requests: fields.count("requests"))
            if fields.isEmpty { fields.fail("must hold at least one amount") }
            return estimate
        }
    }
}
