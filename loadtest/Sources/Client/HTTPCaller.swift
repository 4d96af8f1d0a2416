// The one place that touches HTTP: a bearer, JSON there and back, a deadline, a bounded answer.

import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1

/// What came back.
struct HTTPAnswer: Sendable {
    var status: Int
    var body: Data
}

/// Sends requests with one credential.
struct HTTPCaller: Sendable {
    /// Longer answers are an error: none of the contract's is that long.
    static let maximumAnswerBytes = 4 << 20

    private let client: HTTPClient
    private let headers: HTTPHeaders
    private let timeout: TimeAmount

    init(client: HTTPClient, bearer: String, organisation: String?, timeout: Duration) {
        self.client = client
        self.timeout = TimeAmount(timeout)
        var headers = HTTPHeaders([
            ("authorization", "Bearer \(bearer)"), ("content-type", "application/json"),
            ("accept", "application/json"), ("user-agent", "bursar-load"),
        ])
        if let organisation { headers.add(name: "x-bursar-organisation", value: organisation) }
        self.headers = headers
    }

    /// A client of many connections that fails at once where nobody listens: who repeats a request decides when.
    static func client(connections: Int, timeout: Duration) -> HTTPClient {
        var configuration = HTTPClient.Configuration(
            timeout: .init(connect: TimeAmount(timeout)),
            // Shorter than servers keep idle connections, so that a request rarely meets one that is being closed.
            connectionPool: .init(
                idleTimeout: .seconds(10), concurrentHTTP1ConnectionsPerHostSoftLimit: connections))
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.httpVersion = .http1Only
        configuration.redirectConfiguration = .disallow
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    func get(_ url: String) async throws -> HTTPAnswer { try await send(.GET, url, body: nil) }

    func post(_ url: String, body: String) async throws -> HTTPAnswer { try await send(.POST, url, body: body) }

    func send(_ method: HTTPMethod, _ url: String, body: String?) async throws -> HTTPAnswer {
        var request = HTTPClientRequest(url: url)
        request.method = method
        request.headers = headers
        if let body { request.body = .bytes(ByteBuffer(string: body)) }
        let response = try await client.execute(request, timeout: timeout)
        let buffer = try await response.body.collect(upTo: Self.maximumAnswerBytes)
        return HTTPAnswer(status: Int(response.status.code), body: Data(buffer.readableBytesView))
    }
}
