// Small route tables and requests for tests of the HTTP floor.

import HTTPSupport
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import Testing

/// Runs a test against a table of routes, without a socket.
func withTable(
    _ routes: [Route], limits: RequestLimits = RequestLimits(), over setup: TestingSetup = .router,
    translate: @escaping @Sendable (any Error) -> Problem? = { _ in nil },
    _ test: @Sendable (any TestClientProtocol) async throws -> Void
) async throws {
    let table = RouteTable(routes, limits: limits, translate: translate)
    let application = try Listener.application(
        ListenerConfiguration(address: .host("127.0.0.1", port: 0)), routes: table, logger: silentLogger)
    try await application.test(setup, test)
}

var silentLogger: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }

/// A route that needs no key.
func route(
    _ method: HTTPRequest.Method, _ pattern: String, body: String? = nil, bodyLimit: Int = 1 << 20,
    _ handler: @escaping Route.Handler
) -> Route {
    Route(
        method, pattern, name: "\(method.rawValue) \(pattern)", summary: "", body: body, bodyLimit: bodyLimit,
        successes: [Success(200, "")], secured: false, handler: handler)
}

extension TestResponse {
    /// The members of a problem that tests look at.
    func problem() throws -> ProblemView { try ProblemView(body) }
}

/// A problem as a client reads it.
struct ProblemView {
    var status: Int64
    var code: String
    var detail: String
    var pointers: [String]

    init(_ body: ByteBuffer) throws {
        self = try JSONFields.decode(body) { (fields: inout JSONFields) throws(Problem) in
            var view = ProblemView(
                status: fields.integer("status", in: 400...599) ?? 0, code: fields.requiredString("code"),
                detail: fields.requiredString("detail", maxBytes: 4096), pointers: [])
            _ = fields.requiredString("type")
            _ = fields.requiredString("title")
            view.pointers =
                try fields.objects("errors", maximum: 100) { (error: inout JSONFields) throws(Problem) in
                    _ = error.requiredString("detail", maxBytes: 4096)
                    return error.string("pointer", minBytes: 0, maxBytes: 4096) ?? ""
                } ?? []
            fields.ignoreOthers()
            return view
        }
    }

    private init(status: Int64, code: String, detail: String, pointers: [String]) {
        self.status = status
        self.code = code
        self.detail = detail
        self.pointers = pointers
    }
}
