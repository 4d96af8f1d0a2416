// What the handlers of the console share, and the table of its operations.

import HTTPSupport
import HTTPTypes
import Ledger
import QuotaCore

/// The admin API over one ledger. Its operations are in extensions, one file a subject.
struct Console: Sendable {
    let ledger: Ledger
    let doorkeeper: Doorkeeper
    let reapplier: Reapplier
    let news: NewsWatch
    let idempotency: IdempotencyStore
    let settings: ConsoleSettings

    func routes() -> RouteTable {
        let routes =
            organisationRoutes + accountRoutes + budgetRoutes + periodRoutes + adjustmentRoutes + blockRoutes
            + keyRoutes + priceRoutes + operationRoutes + doubtRoutes + auditRoutes + [eventsRoute] + healthRoutes
        let document = Answer(json: ConsoleDocument.document.json(routes + [Self.documentRoute(Answer.noContent)]))
        return RouteTable(routes + [Self.documentRoute(document)], limits: settings.limits) { error in
            (error as? LedgerError).flatMap(Self.problem)
        }
    }

    private static func documentRoute(_ answer: Answer) -> Route {
        Route(
            .get, "/openapi.json", name: "getDocument", summary: "This document.",
            successes: [Success(200, "The OpenAPI document.", schema: "Document")], secured: false
        ) { call in
            try call.noQuery()
            return answer
        }
    }

    /// What a user is told of a refusal by the ledger; nil for what is our defect.
    static func problem(_ error: LedgerError) -> Problem? {
        switch error.code {
        case .unavailable: .ledgerUnavailable()
        case .notDurable:
            .ledgerUnavailable("The change is made, but does not count yet: \(error.message). Repeat it.")
        case .noOrganisation: .ledgerUnavailable("The organisation has no record in the ledger.")
        case .refused: .ledgerUnavailable("The ledger cannot write now.")
        case .notFound: .notFound(sentence(error.message))
        case .conflict: .conflict(sentence(error.message))
        case .precondition: .preconditionFailed()
        case .invalid(let pointer): .invalid(pointer, error.message)
        case .unexpectedAnswer: nil
        }
    }

    private static func sentence(_ text: String) -> String { text.prefix(1).uppercased() + text.dropFirst() + "." }

    // MARK: Visitors

    /// Who asks; from then on the organisation is watched.
    func admit(_ call: Call) async throws -> Visitor {
        let visitor = try await doorkeeper.admit(call)
        news.attach(visitor.organisation)
        return visitor
    }

    // MARK: Changes

    /// Makes a change, repeating it where the ledger's answer was lost, and remembers it for the case that the ledger
    /// loses the change itself.
    func write(
        _ visitor: Visitor, expecting version: Int64? = nil, reason: String = "",
        _ command: @escaping Reapplier.Command
    ) async throws -> Written {
        try await reapplier.prepare(visitor.organisation)
        let change = Change(actor: visitor.actor, reason: reason, expectedVersion: version)
        var attempts = 0
        while true {
            do {
                let written = try await command(ledger, change)
                reapplier.remember(change, version: written.version, organisation: visitor.organisation, command)
                return written
            } catch let error as LedgerError where [.unavailable, .notDurable].contains(error.code) && attempts < 2 {
                attempts += 1
                try await Task.sleep(for: .milliseconds(50))
            }
        }
    }

    /// Runs a read-change-write whose version may move in between: again a few times, then 409.
    ///
    /// - Parameter isConditional: the client named the version itself, so a move is its 412.
    func retrying(isConditional: Bool, _ body: () async throws -> Answer) async throws -> Answer {
        var attempts = 0
        while true {
            do {
                return try await body()
            } catch let error as LedgerError where error.code == .precondition && !isConditional {
                attempts += 1
                guard attempts < 4 else { throw Problem.conflict("It is being changed by others; try again.") }
            }
        }
    }
}

extension Call {
    /// A path parameter that is an id.
    /// - Throws: 404, because nothing can be called otherwise.
    func identifier(_ name: String) throws(Problem) -> String {
        let id = parameter(name)
        guard Identifier.isValid(id) else { throw .notFound() }
        return id
    }

    var isConditional: Bool { headers[.ifMatch] != nil || headers[.ifNoneMatch] != nil }
}

extension HTTPFields {
    static func entityTag(_ version: Int64) -> HTTPFields { [.eTag: EntityTag.value(version)] }
}

extension Parameter {
    static let ifNoneMatch = Parameter(
        "If-None-Match", in: .header, schema: #"{"type":"string"}"#, "`*`: only if it does not exist yet.")
    static let conditions = [Parameter.ifMatch, Parameter.ifNoneMatch]
    /// Whose organisation the bootstrap credential means.
    static let organisation = Parameter(
        "x-bursar-organisation", in: .header, schema: OpenAPIDocument.identifier,
        "The organisation that the bootstrap credential means; `default` if left out.")
}

extension JSONWriter {
    /// An amount in book units: dollars as a decimal string, counts as integers.
    mutating func amount(_ key: StaticString, _ value: Int64?, _ unit: BudgetUnit) {
        if unit == .usd { decimal(key, value, places: 6) } else { field(key, value) }
    }
}
