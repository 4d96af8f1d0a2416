// The price book: read and replaced as a whole, in YAML or JSON.

import Foundation
import HTTPSupport
import HTTPTypes
import Ledger
import NIOCore
import QuotaCore
import Yams

extension Console {
    /// What the ledger takes.
    private static let maximumBytes = 1 << 20

    var priceRoutes: [Route] {
        [
            Route(
                .get, "/api/v1/prices", name: "getPrices",
                summary: "The price book, USD per million tokens, in the form in which it is put.",
                parameters: [
                    Parameter(
                        "version", schema: #"{"type":"integer","minimum":1,"maximum":4503599627370496}"#,
                        "An earlier version, as decisions name it.")
                ], successes: [Success(200, "The price book; its version is the ETag.", schema: "PriceBook")],
                problems: [404], handler: getPrices),
            Route(
                .put, "/api/v1/prices", name: "putPrices", summary: "Replaces the price book.", body: "PriceBook",
                contentTypes: [
                    "application/json", "application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml",
                ], bodyLimit: Self.maximumBytes, parameters: Parameter.conditions,
                successes: [
                    Success(201, "The first price book.", schema: "PriceBook"),
                    Success(200, "It is replaced.", schema: "PriceBook"),
                ], problems: [409], handler: putPrices),
        ]
    }

    private func getPrices(_ call: Call) async throws -> Answer {
        let version = try call.query { (query) throws(Problem) in
            query.integer("version", in: 1...Amount.maximum)
        }
        let visitor = try await admit(call)
        guard let row = try await prices(version, visitor) else {
            guard version == nil else { throw Problem.notFound("There is no such version of the price book.") }
            return Self.priceAnswer(try RecordCoding.json(PriceBook.empty), version: 0, .ok)
        }
        return Self.priceAnswer(row.text, version: row.version, .ok)
    }

    private func putPrices(_ call: Call) async throws -> Answer {
        try call.noQuery()
        let visitor = try await admit(call)
        try requireRoot(visitor, to: .govern)
        let text = try RecordCoding.json(try Self.priceBook(try await call.body(), call.headers[.contentType]))
        guard text.utf8.count <= Self.maximumBytes else { throw Problem.bodyTooLarge(limit: Self.maximumBytes) }
        let old = try await prices(nil, visitor)
        let expected = try EntityTag.check(call.headers, version: old?.version)
        let written = try await write(visitor, expecting: expected) { ledger, change in
            try await ledger.putPrices(text, change: change, organisation: visitor.organisation)
        }
        return Self.priceAnswer(text, version: written.version, old == nil ? .created : .ok)
    }

    private func prices(_ version: Int64?, _ visitor: Visitor) async throws(LedgerError) -> PricesRow? {
        do {
            return try await ledger.prices(version: version, organisation: visitor.organisation)
        } catch {
            if error.code == .notFound { return nil }
            throw error
        }
    }

    private static func priceAnswer(_ text: String, version: Int64, _ status: HTTPResponse.Status) -> Answer {
        var json = JSONWriter()
        json.raw(json: ByteBuffer(string: text))
        return Answer(status, headers: .entityTag(version), json: json)
    }

    /// - Throws: 400 for what is neither JSON nor YAML, 422 naming the field.
    static func priceBook(_ body: ByteBuffer, _ contentType: String?) throws(Problem) -> PriceBook {
        let first = body.readableBytesView.first { $0 != 0x20 && $0 != 0x09 && $0 != 0x0A && $0 != 0x0D }
        let isYAML = contentType.map { $0.contains("yaml") } ?? (first != UInt8(ascii: "{"))
        do {
            if isYAML {
                guard let text = String(validating: body.readableBytesView, as: UTF8.self) else {
                    throw Problem(.badRequest, code: "malformed_yaml", detail: "The body is not UTF-8.")
                }
                // Read in two steps: the decoder would report what is no YAML as a value of the wrong type.
                guard let node = try Yams.compose(yaml: text) else { throw Problem.invalid("", "must be an object") }
                return try YAMLDecoder().decode(PriceBook.self, from: node)
            }
            _ = try JSONDocument(body)
            return try JSONDecoder().decode(PriceBook.self, from: Data(body.readableBytesView))
        } catch let problem as Problem {
            throw problem
        } catch let error as DecodingError {
            throw RecordBody.refusal(error)
        } catch {
            throw Problem(.badRequest, code: "malformed_yaml", detail: "The body is not YAML.")
        }
    }
}
