// The OpenAPI 3.1 document of a listener, made from its routes, so that it says what the dispatcher does.

import HTTPTypes
import NIOCore

package struct OpenAPIDocument: Sendable {
    package var title: String
    package var version: String
    package var summary: String
    /// JSON Schemas by name, as JSON text: `components/schemas`.
    package var schemas: [(name: String, json: String)]

    package init(title: String, version: String, summary: String, schemas: [(name: String, json: String)]) {
        self.title = title
        self.version = version
        self.summary = summary
        self.schemas = schemas
    }

    /// JSON Schema of an id; path parameters are of this kind unless their route says otherwise.
    package static let identifier = #"{"type":"string","pattern":"^[a-z0-9][a-z0-9._-]{0,62}$"}"#

    package static let problemSchema = #"""
        {"type":"object","required":["type","title","status","code","detail"],"properties":{
        "type":{"type":"string"},"title":{"type":"string"},"status":{"type":"integer","minimum":400,"maximum":599},
        "code":{"type":"string"},"detail":{"type":"string"},"errors":{"type":"array","items":{"type":"object",
        "additionalProperties":false,"required":["pointer","detail"],"properties":{"pointer":{"type":"string"},
        "detail":{"type":"string"}}}}}}
        """#

    package func json(_ routes: [Route]) -> JSONWriter {
        var json = JSONWriter(capacity: 64 * 1024)
        json.object { json in
            json.field("openapi", "3.1.0")
            json.object("info") { json in
                json.field("title", title)
                json.field("version", version)
                json.field("description", summary)
            }
            json.object("paths") { json in
                for pattern in Self.patterns(routes) {
                    json.object(named: pattern.replacing("*}", with: "}")) { json in
                        for route in routes where route.pattern == pattern && !route.hidden {
                            json.object(named: route.method.rawValue.lowercased()) { operation(route, &$0) }
                        }
                    }
                }
            }
            json.object("components") { json in
                json.object("securitySchemes") { json in
                    json.raw("bearer", json: #"{"type":"http","scheme":"bearer"}"#)
                    json.raw("apiKey", json: #"{"type":"apiKey","in":"header","name":"x-api-key"}"#)
                }
                json.object("schemas") { json in
                    json.raw("Problem", json: Self.problemSchema)
                    for schema in schemas {
                        json.key(schema.name)
                        json.raw(json: .init(string: schema.json))
                    }
                }
            }
        }
        return json
    }

    private static func patterns(_ routes: [Route]) -> [String] {
        var seen: Set<String> = []
        return routes.filter { !$0.hidden && seen.insert($0.pattern).inserted }.map(\.pattern)
    }

    private func operation(_ route: Route, _ json: inout JSONWriter) {
        json.field("operationId", route.name)
        json.field("summary", route.summary)
        if route.secured { json.raw("security", json: #"[{"bearer":[]},{"apiKey":[]}]"#) }
        json.key("parameters")
        parameters(route, &json)
        if let body = route.body {
            json.object("requestBody") { json in
                json.field("required", true)
                json.object("content") { json in
                    for type in route.contentTypes {
                        json.object(named: type) { Self.reference(body, &$0) }
                    }
                }
            }
        }
        json.object("responses") { json in
            for success in route.successes { self.success(success, &json) }
            for status in route.problemStatuses {
                json.object(named: "\(status)") { json in
                    json.field("description", HTTPResponse.Status(code: status).reasonPhrase)
                    json.object("content") { $0.object("application/problem+json") { Self.reference("Problem", &$0) } }
                }
            }
        }
    }

    private func success(_ success: Success, _ json: inout JSONWriter) {
        json.object(named: "\(success.status)") { json in
            json.field("description", success.summary)
            guard let schema = success.schema else { return }
            json.object("content") { $0.object(named: success.contentType) { Self.reference(schema, &$0) } }
        }
    }

    private func parameters(_ route: Route, _ json: inout JSONWriter) {
        let path = route.parameterNames.map { ($0, "path", true, route.pathSchemas[$0] ?? Self.identifier, "") }
        let others = route.parameters.map { ($0.name, $0.place.rawValue, false, $0.schema, $0.summary) }
        json.array(path + others) { json, parameter in
            json.object { json in
                json.field("name", parameter.0)
                json.field("in", parameter.1)
                json.field("required", parameter.2)
                if !parameter.4.isEmpty { json.field("description", parameter.4) }
                json.raw("schema", json: parameter.3)
            }
        }
    }

    private static func reference(_ schema: String, _ json: inout JSONWriter) {
        json.object("schema") { $0.field("$ref", "#/components/schemas/\(schema)") }
    }
}
