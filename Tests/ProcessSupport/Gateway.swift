// One gateway process and the calls that proxies make to it.

import BursarCommands
import NIOHTTP1

package struct Gateway: Sendable {
    package let server: ServerChild
    package let key: String

    package var url: String { server.url }

    package func reserve(_ tokens: Int, account: String = "search", ttl: Int = 600) async throws -> Answer {
        try await Answer.to(
            .POST, "\(url)/v1/reservations", key: key,
            #"{"account":"\#(account)","estimate":{"tokens":\#(tokens)},"ttl_s":\#(ttl)}"#)
    }

    /// - Returns: the reservation's id.
    /// - Throws: ``ProcessFailure`` when it is refused.
    package func reserved(_ tokens: Int, ttl: Int = 600) async throws -> String {
        let answer = try await reserve(tokens, ttl: ttl)
        guard answer.status == 201, let id = answer.body["id"]?.string else {
            throw ProcessFailure("\(server.name) does not reserve \(tokens): \(answer)")
        }
        return id
    }

    package func commit(_ id: String, tokens: Int) async throws -> Answer {
        try await Answer.to(.POST, "\(url)/v1/reservations/\(id)/commit", key: key, #"{"tokens":\#(tokens)}"#)
    }

    /// Reserves and commits, so that this gateway knows of a demand.
    ///
    /// - Throws: ``ProcessFailure`` when one is refused.
    package func spend(_ tokens: Int, times: Int = 1) async throws {
        for _ in 0..<times {
            let answer = try await commit(try await reserved(tokens), tokens: tokens)
            guard answer.status == 200 else { throw ProcessFailure("\(server.name) does not commit: \(answer)") }
        }
    }

    package func ready() async throws -> Answer { try await Answer.to(.GET, "\(url)/readyz", key: nil) }
}
