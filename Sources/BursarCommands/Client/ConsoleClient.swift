// The client side of the HTTP interfaces: one request, one answer, refusals as errors that name fields.

import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import NIOSSL

/// Speaks to a console or a gateway.
struct ConsoleClient: Sendable {
    /// Answers beyond are refused.
    static let maximumAnswerBytes = 16 << 20
    /// Elements asked for at once.
    static let pageSize = 200

    enum Method: String, Sendable {
        case get = "GET"
        case put = "PUT"
        case patch = "PATCH"
        case post = "POST"
        case delete = "DELETE"
    }

    let base: String
    let token: String?
    /// Sent as `x-bursar-organisation`.
    let organisation: String?
    let timeout: TimeAmount
    private let http: HTTPClient

    init(base: String, token: String?, organisation: String?, timeout: TimeAmount, http: HTTPClient) {
        self.base = base.hasSuffix("/") ? String(base.dropLast()) : base
        self.token = token
        self.organisation = organisation
        self.timeout = timeout
        self.http = http
    }

    /// An HTTP client for one command.
    ///
    /// - Parameter caFile: certificates to trust instead of the system's, PEM.
    static func makeHTTPClient(timeout: TimeAmount, caFile: String?) -> HTTPClient {
        var configuration = HTTPClient.Configuration(
            redirectConfiguration: .disallow, timeout: .init(connect: min(timeout, .seconds(5)), read: timeout))
        if let caFile {
            var tls = TLSConfiguration.makeClientConfiguration()
            tls.trustRoots = .file(caFile)
            configuration.tlsConfiguration = tls
        }
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    func get(_ path: String) async throws(CommandError) -> JSONValue { try await send(.get, path) }

    /// Every element of a list, page by page.
    ///
    /// - Parameter limit: at most so many.
    func list(_ path: String, limit: Int = .max) async throws(CommandError) -> [JSONValue] {
        var items: [JSONValue] = []
        var cursor: String?
        let mark = path.contains("?") ? "&" : "?"
        repeat {
            let size = min(Self.pageSize, limit - items.count)
            let after = cursor.map { "&cursor=\(Self.escape($0))" } ?? ""
            let page = try await get("\(path)\(mark)limit=\(size)\(after)")
            items += page["items"]?.items ?? []
            cursor = page["next_cursor"]?.string
        } while cursor != nil && items.count < limit
        return items
    }

    /// - Throws: `.refused` for 401, 403, 409, 412 and 429, `.failed` for everything else but success.
    func send(
        _ method: Method, _ path: String, _ body: JSONValue? = nil, headers: [String: String] = [:]
    ) async throws(CommandError) -> JSONValue {
        let (status, bytes) = try await exchange(method, path, body, headers)
        let value = bytes.isEmpty ? JSONValue.null : try? JSONDecoder().decode(JSONValue.self, from: bytes)
        guard (200..<300).contains(status) else { throw HTTPRefusal(status: status, problem: value ?? .null).error }
        guard let value else { throw CommandError(.failed, "\(base) answered something that is not JSON") }
        return value
    }

    private func exchange(
        _ method: Method, _ path: String, _ body: JSONValue?, _ headers: [String: String]
    ) async throws(CommandError) -> (status: Int, body: Data) {
        var request = HTTPClientRequest(url: base + path)
        request.method = HTTPMethod(rawValue: method.rawValue)
        if let token { request.headers.add(name: "authorization", value: "Bearer \(token)") }
        if let organisation { request.headers.add(name: "x-bursar-organisation", value: organisation) }
        for (name, value) in headers { request.headers.replaceOrAdd(name: name, value: value) }
        if let body {
            request.headers.add(name: "content-type", value: "application/json")
            request.body = .bytes(ByteBuffer(string: body.compact))
        }
        do {
            let response = try await http.execute(request, timeout: timeout)
            let answer = try await response.body.collect(upTo: Self.maximumAnswerBytes)
            return (Int(response.status.code), Data(answer.readableBytesView))
        } catch {
            throw CommandError(.failed, "\(base) can't be reached", cause: error)
        }
    }

    /// A path with a query of what is not nil.
    static func path(_ path: String, _ query: [String: String?]) -> String {
        let pairs = query.compactMapValues { $0 }.sorted { $0.key < $1.key }.map { "\($0.key)=\(escape($0.value))" }
        return pairs.isEmpty ? path : "\(path)?\(pairs.joined(separator: "&"))"
    }

    /// A segment of a path or a value of a query.
    static func escape(_ text: String) -> String {
        let allowed = CharacterSet(charactersIn: "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~")
        return text.addingPercentEncoding(withAllowedCharacters: allowed) ?? text
    }
}
