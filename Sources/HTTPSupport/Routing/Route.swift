// One operation of an API: where it is, what it needs, what it may answer, and who does it. The dispatcher and the
// OpenAPI document are both made from it, so they cannot disagree.

import HTTPTypes

/// A parameter of the query or a header.
package struct Parameter: Sendable {
    package enum Place: String, Sendable { case query, header }
    package var name: String
    package var place: Place
    /// JSON Schema text.
    package var schema: String
    package var summary: String

    package init(_ name: String, in place: Place = .query, schema: String, _ summary: String) {
        self.name = name
        self.place = place
        self.schema = schema
        self.summary = summary
    }

    /// `limit` and `cursor`.
    package static let page = [
        Parameter("limit", schema: #"{"type":"integer","minimum":1,"maximum":200,"default":50}"#, "Most items."),
        Parameter(
            "cursor", schema: #"{"type":"string","minLength":1,"maxLength":1024}"#, "`next_cursor` of the page before."),
    ]

    package static let idempotencyKey = Parameter(
        "Idempotency-Key", in: .header,
        schema: #"{"type":"string","minLength":1,"maxLength":255,"pattern":"^[!-~]+$"}"#,
        "A replay with the same key and body gives the first answer.")
    package static let ifMatch = Parameter(
        "If-Match", in: .header, schema: #"{"type":"string"}"#, "The version (ETag) that the change is meant for.")
}

/// An answer that an operation may give when it goes well (problems are listed by status).
package struct Success: Sendable {
    package var status: Int
    package var summary: String
    /// Name in `components/schemas`; nil for no body.
    package var schema: String?
    package var contentType: String

    package init(
        _ status: Int, _ summary: String, schema: String? = nil, contentType: String = "application/json"
    ) {
        self.status = status
        self.summary = summary
        self.schema = schema
        self.contentType = contentType
    }
}

/// A class, so that passing it along costs one reference.
package final class Route: Sendable {
    package typealias Handler = @Sendable (Call) async throws -> Answer

    package let method: HTTPRequest.Method
    /// `/v1/reservations/{id}/commit`; a last segment `{rest*}` takes all that follows.
    package let pattern: String
    /// `operationId`: unique in the document.
    package let name: String
    package let summary: String
    /// Name in `components/schemas` of the body; nil for an operation without one.
    package let body: String?
    package let contentTypes: [String]
    package let bodyLimit: Int
    package let parameters: [Parameter]
    /// JSON Schema text of path parameters that are not plain ids, by name.
    package let pathSchemas: [String: String]
    package let successes: [Success]
    /// Statuses of problems beyond those that follow from the rest.
    package let problems: [Int]
    /// Whether a key is needed (401, 403).
    package let secured: Bool
    /// Left out of the document: for people or other nodes.
    package let hidden: Bool
    package let handler: Handler
    package let segments: [Segment]
    package let parameterNames: [String]

    package enum Segment: Sendable, Hashable {
        case literal(String)
        case parameter(String)
        case rest(String)
    }

    package init(
        _ method: HTTPRequest.Method, _ pattern: String, name: String, summary: String, body: String? = nil,
        contentTypes: [String] = ["application/json"], bodyLimit: Int = 1 << 20, parameters: [Parameter] = [],
        pathSchemas: [String: String] = [:], successes: [Success], problems: [Int] = [], secured: Bool = true,
        hidden: Bool = false, handler: @escaping Handler
    ) {
        self.method = method
        self.pattern = pattern
        self.name = name
        self.summary = summary
        self.body = body
        self.contentTypes = contentTypes
        self.bodyLimit = bodyLimit
        self.parameters = parameters
        self.pathSchemas = pathSchemas
        self.successes = successes
        self.problems = problems
        self.secured = secured
        self.hidden = hidden
        self.handler = handler
        segments = pattern.split(separator: "/").map { part in
            guard part.hasPrefix("{"), part.hasSuffix("}") else { return .literal(String(part)) }
            let inner = part.dropFirst().dropLast()
            return inner.hasSuffix("*") ? .rest(String(inner.dropLast())) : .parameter(String(inner))
        }
        parameterNames = segments.compactMap {
            switch $0 {
            case .literal: nil
            case .parameter(let name), .rest(let name): name
            }
        }
    }

    /// Every problem status that this operation may answer with, in order.
    package var problemStatuses: [Int] {
        var all = Set(problems)
        // 400 for a malformed request line or query, 408 and 500 can befall everything.
        all.formUnion([400, 408, 422, 500])
        if secured { all.formUnion([401, 403, 503]) }
        if !parameterNames.isEmpty { all.insert(404) }
        if body != nil { all.formUnion([413, 415]) }
        if parameters.contains(where: { $0.name == "Idempotency-Key" }) { all.insert(409) }
        if parameters.contains(where: { $0.name == "If-Match" }) { all.insert(412) }
        return all.sorted()
    }
}
