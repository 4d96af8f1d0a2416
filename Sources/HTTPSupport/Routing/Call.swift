// One request on its way through a route.

import HTTPTypes
import Hummingbird
import Logging
import NIOCore

/// The context that Hummingbird makes for each request. Nothing of ours lives in it.
package typealias CallContext = BasicRequestContext

/// A request that has found its route.
package struct Call: Sendable {
    package let request: Request
    package let route: Route
    package let logger: Logger
    /// Taken over from `x-request-id` or made.
    package let requestID: String
    let parameters: [String]
    let target: Substring
    let limits: RequestLimits

    package var headers: HTTPFields { request.head.headerFields }

    /// The path as it was sent, without the query.
    package var path: Substring { Call.split(target).path }

    /// A path parameter, percent-decoded. Asking for one that the route does not have is a programming error.
    package func parameter(_ name: String) -> String {
        guard let index = route.parameterNames.firstIndex(of: name) else {
            preconditionFailure("route \(route.pattern) has no parameter \(name)")
        }
        return parameters[index]
    }

    /// Reads the query; what the closure does not ask for is refused.
    package func query<Value>(_ read: (inout Query) throws(Problem) -> Value) throws(Problem) -> Value {
        var query = try Query(Call.split(target).query)
        let value = try read(&query)
        try query.finish()
        return value
    }

    /// Refuses every query parameter.
    package func noQuery() throws(Problem) {
        if Call.split(target).query != nil { try query { (_) throws(Problem) in } }
    }

    /// The whole body, at most as long as the route allows.
    /// - Throws: 413, 415, 408.
    @concurrent package func body() async throws -> ByteBuffer {
        try checkContentType()
        let limit = route.bodyLimit
        if let length = headers[.contentLength].flatMap({ Int($0) }), length > limit {
            throw Problem.bodyTooLarge(limit: limit)
        }
        let deadline = ContinuousClock.now + limits.bodyTimeout
        var iterator = request.body.makeAsyncIterator()
        do {
            guard var whole = try await iterator.next() else { return ByteBuffer() }
            while true {
                if whole.readableBytes > limit { throw Problem.bodyTooLarge(limit: limit) }
                guard var part = try await iterator.next() else { return whole }
                whole.writeBuffer(&part)
                // A client that trickles is cut off here; one that stops, by the idle time-out of the connection.
                if ContinuousClock.now > deadline { throw Problem.requestTimeout }
            }
        } catch let problem as Problem {
            throw problem
        } catch {
            throw TransportFailure(cause: error)
        }
    }

    private func checkContentType() throws(Problem) {
        guard let type = headers[.contentType], !route.contentTypes.contains(type) else { return }
        let essence = type.prefix { $0 != ";" }.lowercased().filter { $0 != " " }
        guard !route.contentTypes.contains(essence) else { return }
        throw .unsupportedMediaType(route.contentTypes.joined(separator: ", "))
    }

    static func split(_ target: Substring) -> (path: Substring, query: Substring?) {
        guard let mark = target.utf8.firstIndex(of: UInt8(ascii: "?")) else { return (target, nil) }
        return (target[..<mark], target[target.utf8.index(after: mark)...])
    }
}

/// The connection broke, or does not speak HTTP, while a body was read: nobody is left to answer.
struct TransportFailure: Error {
    var cause: any Error
}

/// Bounds on what one request may cost.
package struct RequestLimits: Sendable {
    /// Most bytes of a body where the route does not say otherwise.
    package var bodyBytes = 1 << 20
    /// Longest time from the head of a request to the end of its body.
    package var bodyTimeout = Duration.seconds(30)

    package init() {}
}
