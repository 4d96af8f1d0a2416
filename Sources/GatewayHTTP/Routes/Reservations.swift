// Reservations: decide, settle, give back, look at, extend.

import GatewayNode
import HTTPSupport
import HTTPTypes
import NIOCore

extension Gateway {
    /// Longest life of a reservation and 10 minutes: a retry of the reservation finds its answer until then.
    private static let keepReservation = Duration.seconds(Limits.timeToLive.upperBound + 600)

    private static let dryRun = Parameter(
        "dry_run", schema: #"{"type":"boolean","default":false}"#, "Decide without holding.")

    private static let sealedReservation = ["id": #"{"type":"string","pattern":"^rsv_[A-Za-z0-9_-]{1,4092}$"}"#]

    var reservationRoutes: [Route] {
        [
            Route(
                .post, "/v1/reservations", name: "reserve", summary: "Reserve allowance for one request.",
                body: "ReservationRequest", bodyLimit: Limits.decisionBytes,
                parameters: [Self.dryRun, .idempotencyKey],
                successes: [
                    Success(201, "Admitted.", schema: "Reservation"),
                    Success(200, "A dry run would be admitted.", schema: "Reservation"),
                ], problems: [404, 429], handler: reserve),
            Route(
                .post, "/v1/reservations:batch", name: "reserveBatch",
                summary: "Reserve for up to 256 requests, each with its own outcome.", body: "BatchRequest",
                parameters: [Self.dryRun, .idempotencyKey],
                successes: [Success(200, "One outcome an item, in order.", schema: "BatchAnswer")], problems: [404],
                handler: reserveBatch),
            Route(
                .post, "/v1/reservations/{id}/commit", name: "commit",
                summary: "Charge what was really used. Any gateway takes it; a repeat returns the first answer.",
                body: "CommitRequest", bodyLimit: Limits.decisionBytes, parameters: [.idempotencyKey],
                pathSchemas: Self.sealedReservation,
                successes: [
                    Success(200, "Committed.", schema: "Commit"),
                    Success(202, "Accepted by nobody yet: repeat it.", schema: "Pending"),
                ], problems: [409], handler: commit),
            Route(
                .post, "/v1/reservations/{id}/extend", name: "extend",
                summary: "Hold for a new total and a new life.", body: "ExtendRequest",
                bodyLimit: Limits.decisionBytes, parameters: [.idempotencyKey], pathSchemas: Self.sealedReservation,
                successes: [Success(200, "Extended.", schema: "Reservation")], problems: [409, 429], handler: extend),
            Route(
                .get, "/v1/reservations/{id}", name: "getReservation", summary: "What is known of a reservation.",
                pathSchemas: Self.sealedReservation, successes: [Success(200, "Known.", schema: "ReservationStatus")],
                handler: getReservation),
            Route(
                .delete, "/v1/reservations/{id}", name: "release",
                summary: "Give a reservation back, charging nothing.",
                pathSchemas: Self.sealedReservation,
                successes: [
                    Success(204, "Released."), Success(202, "Accepted by nobody yet: repeat it.", schema: "Pending"),
                ], problems: [409], handler: release),
        ]
    }

    private func reserve(_ call: Call) async throws -> Answer {
        let visitor = try await doorkeeper.admit(call)
        let dryRun = try call.query { (query: inout Query) in query.bool("dry_run") ?? false }
        let bytes = try await call.body()
        return try await idempotency.run(
            call, credential: visitor.caller.credential, body: bytes, keep: { _ in Self.keepReservation }
        ) {
            let body = try ReservationBody.decode(bytes)
            let (account, horizon) = try await visitor.spending(as: body.account)
            let outcome = await decide(try body.request(account, visitor, dryRun: dryRun), visitor)
            switch outcome {
            case .refused(let refusal): throw refusalProblem(refusal, visitor, horizon)
            case .admitted(let admission):
                var json = JSONWriter(capacity: 1024)
                write(admission, visitor, horizon, into: &json)
                return Answer(dryRun ? .ok : .created, json: json)
            }
        }
    }

    /// The synchronous path first: while slices suffice, nothing is awaited.
    private func decide(_ request: ReservationRequest, _ visitor: Visitor) async -> ReservationOutcome {
        if let outcome = visitor.organisation.reserveNow(request) { return outcome }
        return await visitor.organisation.reserve(request)
    }

    private func write(_ admission: Admission, _ visitor: Visitor, _ horizon: Horizon, into json: inout JSONWriter) {
        json.admission(
            admission, id: admission.token.map(visitor.organisation.seal),
            decisionID: visitor.organisation.seal(admission.receipt), horizon)
    }

    private func reserveBatch(_ call: Call) async throws -> Answer {
        let visitor = try await doorkeeper.admit(call)
        let dryRun = try call.query { (query: inout Query) in query.bool("dry_run") ?? false }
        let bytes = try await call.body()
        return try await idempotency.run(
            call, credential: visitor.caller.credential, body: bytes, keep: { _ in Self.keepReservation }
        ) {
            let batch = try BatchBody.decode(bytes)
            var outcomes: [ByteBuffer] = []
            outcomes.reserveCapacity(batch.items.count)
            for item in batch.items { outcomes.append(try await outcome(of: item, visitor, dryRun: dryRun)) }
            return .json { json in json.array("items", outcomes) { $0.raw(json: $1) } }
        }
    }

    /// One item of a batch as JSON: its status and the body that it would have had alone.
    private func outcome(of item: ReservationBody, _ visitor: Visitor, dryRun: Bool) async throws -> ByteBuffer {
        var json = JSONWriter(capacity: 1024)
        func refuse(_ problem: Problem) {
            json.object { json in
                json.field("status", problem.status.code)
                json.key("body")
                problem.write(into: &json)
            }
        }
        do {
            let (account, horizon) = try await visitor.spending(as: item.account)
            switch await decide(try item.request(account, visitor, dryRun: dryRun), visitor) {
            case .refused(let refusal): refuse(refusalProblem(refusal, visitor, horizon))
            case .admitted(let admission):
                json.object { json in
                    json.field("status", dryRun ? 200 : 201)
                    json.key("body")
                    write(admission, visitor, horizon, into: &json)
                }
            }
        } catch let problem as Problem {
            refuse(problem)
        }
        return json.buffer
    }

    /// Any well-formed key of the organisation may commit, a revoked one too: the id is the capability.
    private func commit(_ call: Call) async throws -> Answer {
        let visitor = try await doorkeeper.admit(call, revoked: true)
        try call.noQuery()
        let id = try sealedID(call, prefix: "rsv_")
        let bytes = try await call.body()
        return try await idempotency.run(
            call, credential: visitor.caller.credential, body: bytes, keep: { _ in Self.keepReservation }
        ) {
            let body = try CommitBody.decode(bytes)
            return try await visitor.organisation.commit(id, body.use).commitAnswer(id: id) {
                refusalProblem($0, visitor, visitor.ownHorizon)
            }
        }
    }

    private func release(_ call: Call) async throws -> Answer {
        let visitor = try await doorkeeper.admit(call)
        try call.noQuery()
        let id = try sealedID(call, prefix: "rsv_")
        return try await visitor.organisation.release(id).releaseAnswer(id: id) {
            refusalProblem($0, visitor, visitor.ownHorizon)
        }
    }

    private func extend(_ call: Call) async throws -> Answer {
        let visitor = try await doorkeeper.admit(call)
        try call.noQuery()
        let id = try sealedID(call, prefix: "rsv_")
        let bytes = try await call.body()
        return try await idempotency.run(
            call, credential: visitor.caller.credential, body: bytes, keep: { _ in Self.keepReservation }
        ) {
            let body = try ExtensionBody.decode(bytes)
            guard let token = visitor.organisation.open(reservation: id) else {
                throw Problem.notFound("There is no such reservation.")
            }
            let (_, horizon) = try await visitor.spending(as: token.account)
            let outcome = await visitor.organisation.extend(
                id, body.estimate, timeToLive: .seconds(body.timeToLive))
            switch outcome {
            case .refused(let refusal): throw refusalProblem(refusal, visitor, horizon)
            case .admitted(let admission):
                var json = JSONWriter(capacity: 1024)
                write(admission, visitor, horizon, into: &json)
                return Answer(json: json)
            }
        }
    }

    private func getReservation(_ call: Call) async throws -> Answer {
        let visitor = try await doorkeeper.admit(call)
        try call.noQuery()
        let id = try sealedID(call, prefix: "rsv_")
        guard let token = visitor.organisation.open(reservation: id) else {
            throw Problem.notFound("There is no such reservation.")
        }
        _ = try await visitor.horizon(over: token.account)
        guard let status = await visitor.organisation.status(id) else {
            throw Problem.notFound("There is no such reservation.")
        }
        return status.answer(id: id)
    }
}

extension ReservationBody {
    func request(_ account: String, _ visitor: Visitor, dryRun: Bool) throws(Problem) -> ReservationRequest {
        ReservationRequest(
            account: account, model: model, estimate: estimate, principal: try visitor.principal(principal), tags: tags,
            timeToLive: .seconds(timeToLive), dryRun: dryRun)
    }
}
