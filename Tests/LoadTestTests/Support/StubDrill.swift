// Gateways that follow the console's changes after a delay of their own.

import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import Synchronization

/// Gateways under `/g0`, `/g1`, ...; the console under `/console`.
final class StubDrill: Sendable {
    struct State: Sendable {
        var blocked: [String: Bool] = [:]
        /// When the block last changed.
        var changed = ContinuousClock.now
        var allowance = 0
        var spent = 0
        var raised = ContinuousClock.now
        var changes: [String] = []
    }

    /// By gateway: how long after a change it still answers by the old rule.
    let lags: [Duration]
    private let state = Mutex(State())

    init(lags: [Duration]) { self.lags = lags }

    var seen: State { state.withLock { $0 } }

    /// Serves on a free port of loopback while `body` runs; it gets the base URL.
    func serve<Result: Sendable>(_ body: @escaping @Sendable (String) async throws -> Result) async throws -> Result {
        let (ports, continuation) = AsyncStream<Int>.makeStream()
        let application = Application(
            router: router(), configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { channel in continuation.yield(channel.localAddress?.port ?? 0) },
            logger: Logger(label: "stub") { _ in SwiftLogNoOpLogHandler() })
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await application.run() }
            defer { group.cancelAll() }
            var port = 0
            for await bound in ports {
                port = bound
                break
            }
            return try await body("http://127.0.0.1:\(port)")
        }
    }

    private func router() -> Router<BasicRequestContext> {
        let router = Router()
        router.post(":gateway/v1/reservations") { [self] request, context in
            let number = Int(try context.parameters.require("gateway").dropFirst()) ?? 0
            let account = try await account(request)
            return state.withLock { decide($0, lag: lags[number], account: account) }
        }
        router.post(":gateway/v1/usage") { [self] request, _ in
            let charge = try await decode(request)
            state.withLock { $0.spent += charge.tokens ?? 0 }
            return Self.json(200, "{}")
        }
        let base = "console/api/v1/accounts/:id"
        router.put(RouterPath(base)) { [self] _, context in try noted("make", context) }
        router.delete(RouterPath(base)) { [self] _, context in try noted("remove", context) }
        router.put(RouterPath(base + "/block")) { [self] _, context in try noted("block", context) }
        router.delete(RouterPath(base + "/block")) { [self] _, context in try noted("unblock", context) }
        router.put(RouterPath(base + "/budgets/drill")) { [self] request, context in
            let budget = try await decode(request)
            state.withLock { $0.allowance = budget.amount.flatMap { Int($0) } ?? 0 }
            return try noted("budget", context)
        }
        router.post(RouterPath(base + "/budgets/drill/adjustments")) { [self] request, context in
            let raise = try await decode(request)
            state.withLock {
                $0.allowance += raise.amount.flatMap { Int($0) } ?? 0
                $0.raised = .now
            }
            return try noted("raise", context)
        }
        router.get(RouterPath(base + "/budgets")) { [self] _, _ in
            let (allowance, spent) = state.withLock { ($0.allowance, $0.spent) }
            return Self.json(
                200,
                """
                {"items":[{"id":"drill","unit":"tokens","live":{"period":{"id":"2026"},"allowance":\(allowance),\
                "available":\(allowance - spent),"spent":\(spent),"leased":0,"in_doubt":0}}],"next_cursor":null}
                """)
        }
        return router
    }

    private func decide(_ state: State, lag: Duration, account: String) -> Response {
        let isBlocked = state.blocked[account] ?? false
        // Within the lag the gateway still answers as before the last change.
        let appliesNow = ContinuousClock.now - state.changed >= lag
        if isBlocked == appliesNow, state.blocked[account] != nil {
            return Self.json(403, "{\"code\":\"account_blocked\"}")
        }
        let isKnown = ContinuousClock.now - state.raised >= lag
        if account.hasPrefix("drill-"), state.spent >= state.allowance || !isKnown {
            return Self.json(429, "{\"code\":\"budget_exhausted\"}")
        }
        return Self.json(200, "{\"decision\":\"allow\"}")
    }

    private func noted(_ change: String, _ context: BasicRequestContext) throws -> Response {
        let account = try context.parameters.require("id")
        state.withLock {
            $0.changes.append("\(change) \(account)")
            if change == "block" || change == "unblock" {
                $0.blocked[account] = change == "block"
                $0.changed = .now
            }
        }
        return Self.json(200, "{}")
    }

    private struct Body: Decodable {
        var account: String?
        var tokens: Int?
        var amount: String?

        private enum CodingKeys: String, CodingKey { case account, tokens, amount }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            account = try container.decodeIfPresent(String.self, forKey: .account)
            tokens = try container.decodeIfPresent(Int.self, forKey: .tokens)
            if let count = try? container.decodeIfPresent(Int.self, forKey: .amount) {
                amount = String(count)
            } else {
                amount = try container.decodeIfPresent(String.self, forKey: .amount)
            }
        }
    }

    private func decode(_ request: Request) async throws -> Body {
        let bytes = try await request.body.collect(upTo: 65_536)
        return try JSONDecoder().decode(Body.self, from: Data(bytes.readableBytesView))
    }

    private func account(_ request: Request) async throws -> String { try await decode(request).account ?? "" }

    private static func json(_ status: Int, _ text: String) -> Response {
        Response(
            status: HTTPResponse.Status(code: status), headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }
}
