// A server that answers like gateways and console and keeps honest books, unless a test tells it which wrong to do.

import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import QuotaCore
import Synchronization

/// Gateways under `/g0`, `/g1`, ...; the console under `/console`. Every account has the budget `quota` in tokens and
/// the parent `root`; `root` has the budget `bill` in dollars, at one micro-dollar a token.
final class StubBursar: Sendable {
    struct Faults: Sendable {
        /// The first attempt of every commit is answered with this status and not done.
        var firstCommitStatus: Int?
        /// Every commit is refused with this status.
        var commitStatus: Int?
        /// Commits are acknowledged and not booked.
        var forgetsCommits = false
        var chargesTwice = false
        /// Allows whatever is asked.
        var neverRefuses = false
        /// The books show one token too few as available.
        var losesToken = false
        /// Before a reservation is answered.
        var delay = Duration.zero
        var reservationStatus: Int?
        var reroutes = false
    }

    struct State {
        var spent: [String: Int64] = [:]
        var holds: [String: (account: String, tokens: Int64)] = [:]
        var committed: [String: Int64] = [:]
        var gatewayOfReservation: [String: String] = [:]
        var gatewaysOfCommits: [(reserved: String, committed: String)] = []
        var attempts: [String: Int] = [:]
        var reservations: [String: Int] = [:]
        var bearers: Set<String> = []
        var open = 0
        var mostOpen = 0
        var estimates: [Int64] = []
    }

    let allowance: Int64
    let faults: Faults
    private let state = Mutex(State())

    init(allowance: Int64, faults: Faults = Faults()) {
        self.allowance = allowance
        self.faults = faults
    }

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
            try await reserve(request, gateway: context.parameters.require("gateway"))
        }
        router.post(":gateway/v1/reservations/:id/commit") { [self] request, context in
            try await commit(
                request, gateway: context.parameters.require("gateway"), id: context.parameters.require("id"))
        }
        router.get("console/api/v1/accounts/:id") { _, context in
            let id = try context.parameters.require("id")
            return Self.json(200, "{\"id\":\"\(id)\",\"parent\":\(id == "root" ? "null" : "\"root\"")}")
        }
        router.get("console/api/v1/accounts/:id/budgets") { [self] _, context in
            let id = try context.parameters.require("id")
            return Self.json(200, "{\"items\":[\(id == "root" ? bill() : quota(of: id))],\"next_cursor\":null}")
        }
        return router
    }

    private struct Tokens: Decodable {
        var input: Int64
        var output: Int64

        var total: Int64 { input + output }

        private enum CodingKeys: String, CodingKey {
            case input = "input_tokens"
            case output = "output_tokens"
        }
    }

    private struct Reservation: Decodable {
        var account: String
        var estimate: Tokens
    }

    private func reserve(_ request: Request, gateway: String) async throws -> Response {
        let body = try await request.body.collect(upTo: 65_536)
        let wanted = try JSONDecoder().decode(Reservation.self, from: Data(body.readableBytesView))
        let tokens = wanted.estimate.total
        state.withLock {
            $0.open += 1
            $0.mostOpen = max($0.mostOpen, $0.open)
            $0.estimates.append(tokens)
            $0.bearers.insert(request.headers[.authorization] ?? "")
        }
        if faults.delay > .zero { try await Task.sleep(for: faults.delay) }
        defer { state.withLock { $0.open -= 1 } }
        if let status = faults.reservationStatus { return Self.json(status, "{\"code\":\"ledger_unavailable\"}") }
        let account = wanted.account
        let id = state.withLock { state -> String? in
            state.reservations[account, default: 0] += 1
            let held = state.holds.values.filter { $0.account == account }.reduce(0) { $0 + $1.tokens }
            guard faults.neverRefuses || state.spent[account, default: 0] + held + tokens <= allowance else {
                return nil
            }
            let id = "rsv_\(state.estimates.count)-\(UInt32.random(in: 0 ... .max))"
            state.holds[id] = (account, tokens)
            state.gatewayOfReservation[id] = gateway
            return id
        }
        guard let id else {
            let by = "[{\"account\":\"\(account)\",\"budget\":\"quota\"}]"
            return Self.json(429, "{\"code\":\"budget_exhausted\",\"status\":429,\"refused_by\":\(by)}")
        }
        return Self.json(201, "{\"id\":\"\(id)\",\"decision\":\"\(faults.reroutes ? "reroute" : "allow")\"}")
    }

    private struct Commit: Decodable {
        var usage: Tokens
    }

    private func commit(_ request: Request, gateway: String, id: String) async throws -> Response {
        let body = try await request.body.collect(upTo: 65_536)
        let tokens = try JSONDecoder().decode(Commit.self, from: Data(body.readableBytesView)).usage.total
        return state.withLock { state in
            state.attempts[id, default: 0] += 1
            if let status = faults.commitStatus { return Self.json(status, "{\"code\":\"refused\"}") }
            if let status = faults.firstCommitStatus, state.attempts[id] == 1 {
                return Self.json(status, "{\"id\":\"\(id)\",\"state\":\"pending\"}")
            }
            if let hold = state.holds.removeValue(forKey: id) {
                let charged = faults.forgetsCommits ? 0 : faults.chargesTwice ? tokens * 2 : tokens
                state.spent[hold.account, default: 0] += charged
                state.committed[id] = tokens
                state.gatewaysOfCommits.append((state.gatewayOfReservation[id] ?? "", gateway))
            }
            guard let charged = state.committed[id] else { return Self.json(404, "{\"code\":\"not_found\"}") }
            let usd = Amount.formatNano(charged * 1000)
            let charge = "{\"tokens\":\(charged),\"usd\":\"\(usd)\",\"requests\":1}"
            return Self.json(200, "{\"id\":\"\(id)\",\"state\":\"committed\",\"charged\":\(charge)}")
        }
    }

    private func quota(of account: String) -> String {
        let (spent, leased) = state.withLock { state in
            (
                state.spent[account, default: 0],
                state.holds.values.filter { $0.account == account }.reduce(0) { $0 + $1.tokens }
            )
        }
        let available = allowance - spent - leased - (faults.losesToken ? 1 : 0)
        return """
            {"id":"quota","unit":"tokens","mode":"enforce","live":{"period":{"id":"2026-11"},"allowance":\(allowance),\
            "remaining":\(allowance - spent),"available":\(available),"spent":\(spent),"leased":\(leased),"in_doubt":0,\
            "worst_case_exposure":"unbounded","enforced":true,"state":"active","version":1}}
            """
    }

    private func bill() -> String {
        let spent = state.withLock { $0.spent.values.reduce(0, +) }
        let money = Amount.format(spent, unit: .usd)
        let left = Amount.format(1_000_000_000 - spent, unit: .usd)
        return """
            {"id":"bill","unit":"usd","mode":"enforce","live":{"period":{"id":"2026-11"},"allowance":"1000",\
            "remaining":"\(left)","available":"\(left)","spent":"\(money)","leased":"0","in_doubt":"0",\
            "worst_case_exposure":"0","enforced":true,"state":"active","version":1}}
            """
    }

    private static func json(_ status: Int, _ text: String) -> Response {
        Response(
            status: HTTPResponse.Status(code: status), headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }
}
