// Finds the route of a request and turns whatever happens there into an answer: unknown paths, wrong methods, thrown
// problems, and defects, which are logged and not told.

import HTTPTypes
import Hummingbird
import Logging

/// All operations of one listener.
package struct RouteTable: HTTPResponder, Sendable {
    package typealias Context = CallContext

    package let routes: [Route]
    package let limits: RequestLimits
    /// Turns an error of a lower floor into a problem; nil means that it is a defect.
    private let translate: @Sendable (any Error) -> Problem?
    /// Paths without parameters, found in one look-up.
    private let literal: [String: [Route]]
    /// The others, by number of segments.
    private let patterned: [Int: [Route]]
    private let open: [Route]

    /// - Precondition: no two routes share method and pattern.
    package init(
        _ routes: [Route], limits: RequestLimits = RequestLimits(),
        translate: @escaping @Sendable (any Error) -> Problem? = { _ in nil }
    ) {
        precondition(Set(routes.map { "\($0.method.rawValue) \($0.pattern)" }).count == routes.count, "a route twice")
        self.routes = routes
        self.limits = limits
        self.translate = translate
        let plain = routes.filter { $0.parameterNames.isEmpty }
        literal = Dictionary(grouping: plain) { $0.pattern }
        let rest = routes.filter { if case .rest = $0.segments.last { true } else { false } }
        open = rest
        let bound = routes.filter { route in
            !route.parameterNames.isEmpty && !rest.contains { $0.pattern == route.pattern }
        }
        patterned = Dictionary(grouping: bound) { $0.segments.count }
    }

    package func respond(to request: Request, context: CallContext) async throws -> Response {
        let requestID = Self.requestID(request)
        var response: Response
        do {
            response = try await dispatch(request, context, requestID).response
        } catch let problem as Problem {
            response = problem.answer.response
        } catch {
            response = try problem(for: error, requestID, context).answer.response
        }
        response.headers[.requestID] = requestID
        if request.head.method == .head {
            // Content-Length stays that of the GET.
            let head = response.headers
            response.body = .init()
            response.headers = head
        }
        return response
    }

    private func problem(for error: any Error, _ requestID: String, _ context: CallContext) throws -> Problem {
        if let known = translate(error) { return known }
        // The client went away, or the server stops: there is nobody to answer.
        if let failure = error as? TransportFailure { throw failure.cause }
        if error is CancellationError { throw error }
        context.logger.error(
            "request failed", metadata: ["request_id": .string(requestID), "error": .string(String(reflecting: error))])
        return .internalError(requestID: requestID)
    }

    private func dispatch(_ request: Request, _ context: CallContext, _ requestID: String) async throws -> Answer {
        let target = Substring(request.head.path ?? "/")
        let path = Call.split(target).path
        let (candidates, parameters) = find(path)
        guard !candidates.isEmpty else { throw Problem.notFound("There is nothing at this path.") }
        let method = request.head.method
        guard
            let position = candidates.firstIndex(where: { $0.method == method })
                ?? candidates.firstIndex(where: { method == .head && $0.method == .get })
        else { throw Problem.methodNotAllowed(candidates.map(\.method)) }
        let route = candidates[position]
        guard let decoded = parameters(route) else { throw Problem.notFound("There is nothing at this path.") }
        return try await route.handler(
            Call(
                request: request, route: route, logger: context.logger, requestID: requestID, parameters: decoded,
                target: target, limits: limits))
    }

    /// The routes at a path, and how to read their parameters out of it.
    private func find(_ path: Substring) -> ([Route], (Route) -> [String]?) {
        if let found = literal[String(path)] { return (found, { _ in [] }) }
        guard path.utf8.first == UInt8(ascii: "/") else { return ([], { _ in nil }) }
        let parts = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        func matches(_ route: Route, _ count: Int) -> Bool {
            zip(route.segments.prefix(count), parts).allSatisfy { segment, part in
                switch segment {
                case .literal(let word): word == part
                case .parameter: !part.isEmpty
                case .rest: true
                }
            }
        }
        // A literal segment wins over a parameter at the same place.
        let bound = (patterned[parts.count] ?? []).filter { matches($0, parts.count) }
        if let best = bound.map(\.parameterNames.count).min() {
            return (
                bound.filter { $0.parameterNames.count == best },
                { route in
                    var values: [String] = []
                    for (segment, part) in zip(route.segments, parts) {
                        guard case .parameter = segment else { continue }
                        guard let value = PercentEncoding.decode(part) else { return nil }
                        values.append(value)
                    }
                    return values
                }
            )
        }
        let rest = open.filter { $0.segments.count <= parts.count && matches($0, $0.segments.count - 1) }
        return (rest, { [parts[($0.segments.count - 1)...].joined(separator: "/")] })
    }

    private static func requestID(_ request: Request) -> String {
        if let given = request.head.headerFields[.requestID], (1...128).contains(given.utf8.count),
            given.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        {
            return given
        }
        return RequestID().description
    }
}
