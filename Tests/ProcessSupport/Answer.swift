// HTTP as any client speaks it, with the status and the body of every answer.

import AsyncHTTPClient
import BursarCommands
import Foundation
import NIOCore
import NIOHTTP1

package struct Answer: Sendable, CustomStringConvertible {
    package var status: Int
    package var headers: HTTPHeaders
    package var body: JSONValue

    /// The stable word of a problem.
    package var code: String? { body["code"]?.string }
    package var description: String { "\(status) \(body.compact)" }

    /// One request. A body goes as JSON.
    ///
    /// - Throws: when there is no answer.
    package static func to(
        _ method: HTTPMethod, _ url: String, key: String?, _ body: String? = nil, idempotencyKey: String? = nil,
        within limit: TimeAmount = .seconds(20), by client: HTTPClient = .shared
    ) async throws -> Answer {
        var request = HTTPClientRequest(url: url)
        request.method = method
        if let key { request.headers.add(name: "authorization", value: "Bearer \(key)") }
        if let idempotencyKey { request.headers.add(name: "idempotency-key", value: idempotencyKey) }
        if let body {
            request.headers.add(name: "content-type", value: "application/json")
            request.body = .bytes(ByteBuffer(string: body))
        }
        let response = try await client.execute(request, timeout: limit)
        let bytes = Data(try await response.body.collect(upTo: 1 << 20).readableBytesView)
        let value = bytes.isEmpty ? JSONValue.null : (try? JSONDecoder().decode(JSONValue.self, from: bytes))
        return Answer(status: Int(response.status.code), headers: response.headers, body: value ?? .null)
    }
}

/// Asks again until the answer is the wanted one: what is told to others arrives a little later.
///
/// - Returns: the last answer, the wanted one or that of the deadline.
package func eventually<Value: Sendable>(
    within limit: Duration = .seconds(20), _ read: () async throws -> Value, until isWanted: (Value) -> Bool
) async throws -> Value {
    let deadline = ContinuousClock.now + limit
    while true {
        let value = try await read()
        if isWanted(value) || ContinuousClock.now > deadline { return value }
        try await Task.sleep(for: .milliseconds(50))
    }
}
