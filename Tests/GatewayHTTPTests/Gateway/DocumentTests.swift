// The OpenAPI document agrees with the table of routes and with the limits that the code applies.

import Foundation
import HTTPSupport
import HTTPTypes
import NIOCore
import QuotaCore
import Testing

@testable import GatewayHTTP

@Suite("OpenAPI document")
struct DocumentTests {
    private static func document(_ routes: [Route]) throws -> [String: Any] {
        let bytes = GatewayDocument.document.json(routes).buffer
        let object = try JSONSerialization.jsonObject(with: Data(bytes.readableBytesView))
        return try #require(object as? [String: Any])
    }

    @Test("Every schema is JSON, and every reference leads to one")
    func references() throws {
        let route = Route(
            .post, "/x/{id}", name: "x", summary: "", body: "CommitRequest",
            successes: [Success(200, "", schema: "Commit")]
        ) { _ in .noContent }
        let document = try Self.document([route])
        let components = try #require(document["components"] as? [String: Any])
        let schemas = try #require(components["schemas"] as? [String: Any])
        var references: [String] = []
        func walk(_ value: Any) {
            if let object = value as? [String: Any] {
                if let reference = object["$ref"] as? String { references.append(reference) }
                object.values.forEach(walk)
            } else if let list = value as? [Any] {
                list.forEach(walk)
            }
        }
        walk(document)
        #expect(references.count > 10)
        for reference in references {
            #expect(schemas[reference.replacing("#/components/schemas/", with: "")] != nil, "\(reference)")
        }
    }

    @Test("A route's parameters, body, answers and problems stand in the document")
    func operation() throws {
        let route = Route(
            .post, "/v1/things/{id}/act", name: "act", summary: "Act.", body: "CommitRequest",
            parameters: [.idempotencyKey, .ifMatch],
            successes: [Success(200, "Done.", schema: "Commit"), Success(204, "x")],
            problems: [429]
        ) { _ in .noContent }
        let paths = try #require(try Self.document([route])["paths"] as? [String: [String: [String: Any]]])
        let operation = try #require(paths["/v1/things/{id}/act"]?["post"])
        #expect(operation["operationId"] as? String == "act")
        let parameters = try #require(operation["parameters"] as? [[String: Any]])
        #expect(parameters.compactMap { $0["name"] as? String } == ["id", "Idempotency-Key", "If-Match"])
        let responses = try #require(operation["responses"] as? [String: Any])
        #expect(
            Set(responses.keys)
                == [
                    "200", "204", "400", "401", "403", "404", "408", "409", "412", "413", "415", "422", "429", "500",
                    "503",
                ])
    }

    @Test("Hidden routes are not in the document")
    func hidden() throws {
        let route = Route(.get, "/hidden", name: "h", summary: "", successes: [], hidden: true) { _ in .noContent }
        #expect((try Self.document([route])["paths"] as? [String: Any])?.isEmpty == true)
    }

    @Test("The document's limits are those that the code applies")
    func limits() throws {
        let components = try #require(try Self.document([])["components"] as? [String: Any])
        let schemas = try #require(components["schemas"] as? [String: [String: Any]])
        func property(_ schema: String, _ name: String) throws -> [String: Any] {
            let properties = try #require(schemas[schema]?["properties"] as? [String: Any])
            return try #require(properties[name] as? [String: Any])
        }
        #expect(try property("Estimate", "tokens")["maximum"] as? Int64 == Limits.count)
        #expect(try property("Usage", "input_tokens")["maximum"] as? Int64 == Usage.maximumTokens)
        #expect(try property("ReservationRequest", "ttl_s")["maximum"] as? Int64 == Limits.timeToLive.upperBound)
        #expect(try property("ReservationRequest", "tags")["maxProperties"] as? Int == Limits.tags)
        #expect(try property("ReservationRequest", "model")["maxLength"] as? Int == Limits.modelBytes)
        #expect(try property("ReservationRequest", "principal")["maxLength"] as? Int == Limits.principalBytes)
        #expect(try property("BatchRequest", "items")["maxItems"] as? Int == Limits.batch)
    }
}
