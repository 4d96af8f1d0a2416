// Between nodes: a commit that reached the wrong node is carried to the one that owns the reservation.

import AsyncHTTPClient
import Foundation
import GatewayNode
import HTTPSupport
import HTTPTypes
import Logging
import NIOCore
import NIOHTTP1
import QuotaCore
import Synchronization

/// A settlement on its way back. A refusal is not carried: the asking node judges that for itself.
struct RelayAnswer: Codable, Sendable {
    enum Kind: String, Codable, Sendable { case committed, pending, released, conflict, unknown }
    var kind: Kind
    var charged: Amounts?
    var late: Bool?
    var overrun: Bool?
    var repeated: Bool?
    var detail: String?

    init?(_ outcome: SettlementOutcome) {
        switch outcome {
        case .committed(let charged, let late, let overrun, let repeated):
            kind = .committed
            self.charged = charged
            self.late = late
            self.overrun = overrun
            self.repeated = repeated
        case .pending: kind = .pending
        case .released: kind = .released
        case .conflict(let detail):
            kind = .conflict
            self.detail = detail
        case .unknown: kind = .unknown
        case .refused: return nil
        }
    }

    var outcome: SettlementOutcome? {
        switch kind {
        case .committed:
            charged.map {
                .committed(charged: $0, late: late ?? false, overrun: overrun ?? false, repeated: repeated ?? false)
            }
        case .pending: .pending
        case .released: .released
        case .conflict: .conflict(detail ?? "The reservation is settled.")
        case .unknown: .unknown
        }
    }
}

extension Gateway {
    /// Where nodes send settlements, below their advertised address.
    static let relayPath = "/internal/relay"

    var relayRoute: Route {
        Route(
            .post, Self.relayPath, name: "relay", summary: "Settlements from other nodes.", body: "Relay",
            bodyLimit: Limits.decisionBytes, successes: [Success(200, "Settled.")], hidden: true, handler: relay)
    }

    private func relay(_ call: Call) async throws -> Answer {
        guard let credential = Credential.read(call.headers) else { throw Problem.unauthorized() }
        let bytes = try await call.body()
        guard let message = try? JSONDecoder().decode(RelayMessage.self, from: Data(bytes.readableBytesView)) else {
            throw Problem.badRequest("This is no message between nodes of this version.")
        }
        guard let outcome = await node.receiveRelay(message, credential: credential) else {
            throw Problem.unauthorized("The credential is not known here.")
        }
        guard let answer = RelayAnswer(outcome) else {
            throw Problem.conflict("The settlement was refused.", code: "relay_refused")
        }
        return Answer(
            status: .ok, headers: [.contentType: "application/json"],
            body: ByteBuffer(bytes: try JSONEncoder().encode(answer)))
    }
}

/// Carries settlements to other gateways over kept connections. What does not answer in time counts as unreachable:
/// the ledger takes the message then.
package final class HTTPCommitRelay: CommitRelay {
    /// A client waits for its commit meanwhile, so this is short.
    package static let deadline = TimeAmount.milliseconds(200)
    /// Messages under way at once; more are not sent, so that a slow peer cannot fill the memory.
    package static let maximumInFlight = 512

    private let client: HTTPClient
    private let logger: Logger
    private let inFlight = Atomic<Int>(0)

    package init(logger: Logger) {
        var configuration = HTTPClient.Configuration(
            redirectConfiguration: .disallow,
            timeout: .init(connect: Self.deadline, read: Self.deadline))
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 16
        configuration.connectionPool.idleTimeout = .seconds(60)
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        self.logger = logger
    }

    package func relay(
        _ message: RelayMessage, to address: String, credential: String
    ) async -> SettlementOutcome? {
        guard inFlight.add(1, ordering: .relaxed).newValue <= Self.maximumInFlight else {
            inFlight.subtract(1, ordering: .relaxed)
            return nil
        }
        defer { inFlight.subtract(1, ordering: .relaxed) }
        do {
            let base = address.hasSuffix("/") ? String(address.dropLast()) : address
            var request = HTTPClientRequest(url: base + Gateway.relayPath)
            request.method = .POST
            request.headers.add(name: "authorization", value: "Bearer \(credential)")
            request.headers.add(name: "content-type", value: "application/json")
            request.body = .bytes(ByteBuffer(bytes: try JSONEncoder().encode(message)))
            let response = try await client.execute(request, timeout: Self.deadline)
            let body = try await response.body.collect(upTo: Limits.decisionBytes)
            guard response.status == .ok else { return nil }
            return try JSONDecoder().decode(RelayAnswer.self, from: Data(body.readableBytesView)).outcome
        } catch {
            logger.debug(
                "relay failed", metadata: ["address": .string(address), "error": .string(String(describing: error))])
            return nil
        }
    }

    /// Closes the connections. Call it once the node has ended.
    package func shutdown() async {
        do {
            try await client.shutdown()
        } catch {
            logger.warning("relay client did not close", metadata: ["error": .string(String(describing: error))])
        }
    }
}
