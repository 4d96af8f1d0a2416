// What operators look at: the nodes, the reservations that the ledger knows of, and whether the books are right.

import HTTPSupport
import HTTPTypes
import Ledger
import QuotaCore

extension Console {
    /// The most opened periods of one budget that are checked.
    private static let checkedPeriods = 100

    var operationRoutes: [Route] {
        [
            Route(
                .get, "/api/v1/nodes", name: "listNodes",
                summary: "The sessions of nodes that the ledger knows, the latest to expire first.",
                parameters: Parameter.page, successes: [Success(200, "A page of sessions.", schema: "NodeList")],
                handler: listNodes),
            Route(
                .get, "/api/v1/reservations", name: "listReservations",
                summary: "Reservations that were open when their node last reported, by session and number.",
                parameters: Parameter.page + [
                    Parameter(
                        "session", schema: #"{"type":"string","minLength":1,"maxLength":128}"#, "Only this session's.")
                ], successes: [Success(200, "A page of reservations.", schema: "ReservationList")], problems: [404],
                handler: listReservations),
            Route(
                .get, "/api/v1/check", name: "checkBooks",
                summary:
                    "Adds up the books of all budgets of a page of accounts anew and names what is off. Changes nothing.",
                parameters: Parameter.page,
                successes: [Success(200, "The budgets that were checked.", schema: "CheckList")],
                handler: checkBooks),
        ]
    }

    private func listNodes(_ call: Call) async throws -> Answer {
        let page = try call.query { (query) throws(Problem) in try Page(&query) }
        let visitor = try await admit(call)
        try requireRoot(visitor, to: .read)
        let skipped = try Self.count(page.position)
        let list = try await ledger.sessions(
            skipping: skipped, limit: page.limit, organisation: visitor.organisation)
        let end = skipped + list.sessions.count
        let next = !list.sessions.isEmpty && Int64(end) < list.count ? String(end) : nil
        return Page.answer(list.sessions, next: next) { json, row in
            json.object { json in
                json.field("node", row.node)
                json.field("session", row.id)
                json.field("state", row.final ? "gone" : row.over ? "over" : list.isAlive(row) ? "alive" : "expired")
                json.field("advertise", row.advertise.isEmpty ? nil : row.advertise)
                json.field("rules_version", row.version)
                json.field("leases", row.leases)
                json.field("open_reservations", row.openReservations)
                json.time("started_at", row.startedAt)
                json.time("seen_at", row.seenAt)
                json.time("expires_at", row.expires)
            }
        }
    }

    private static func count(_ position: String?) throws(Problem) -> Int {
        guard let position else { return 0 }
        guard let count = Int(position), (0...1_000_000).contains(count) else {
            throw .invalid("?cursor", "is not a cursor of this list")
        }
        return count
    }

    private func listReservations(_ call: Call) async throws -> Answer {
        let (page, only) = try call.query { (query) throws(Problem) in
            (try Page(&query), query.string("session", maxBytes: 128))
        }
        let visitor = try await admit(call)
        try requireRoot(visitor, to: .read)
        var place = try ReservationPlace(page.position)
        var found: [(session: SessionRow, number: Int64)] = []
        let list = try await ledger.sessions(organisation: visitor.organisation)
        // By id, so that a page goes on where the one before ended although sessions come and go.
        var sessions = list.sessions.filter { $0.openReservations > 0 && $0.id >= place.session }
            .sorted { $0.id < $1.id }
        if let only {
            guard list.sessions.contains(where: { $0.id == only }) else {
                throw Problem.notFound("There is no such session.")
            }
            sessions.removeAll { $0.id != only }
        }
        for session in sessions {
            if session.id != place.session { place = ReservationPlace(session: session.id) }
            let numbers = try await openNumbers(session.id, visitor).filter { $0 > place.number }.sorted()
            found += numbers.prefix(page.limit + 1 - found.count).map { (session, $0) }
            if found.count > page.limit { break }
        }
        let shown = found.prefix(page.limit)
        let next = found.count > page.limit ? shown.last.map { "\($0.number) \($0.session.id)" } : nil
        return Page.answer(shown, next: next) { json, item in
            json.object { json in
                json.field("session", item.session.id)
                json.field("node", item.session.node)
                json.field("number", item.number)
                json.field("state", list.isAlive(item.session) ? "open" : "in_doubt")
                json.time("reported_at", item.session.seenAt)
            }
        }
    }

    /// All numbers that a session has open, as the ledger walks them.
    private func openNumbers(_ session: String, _ visitor: Visitor) async throws -> Set<Int64> {
        var numbers: Set<Int64> = []
        var cursor: String?
        var calls = 0
        repeat {
            let part = try await ledger.openReservations(
                session: session, after: cursor, limit: 1000, organisation: visitor.organisation)
            numbers.formUnion(part.items)
            cursor = part.next
            calls += 1
        } while cursor != nil && calls < 1000
        return numbers
    }

    private func checkBooks(_ call: Call) async throws -> Answer {
        let page = try call.query { (query) throws(Problem) in try Page(&query) }
        let visitor = try await admit(call)
        try requireRoot(visitor, to: .govern)
        let accounts = try await ledger.accounts(
            after: page.position, limit: page.limit, organisation: visitor.organisation)
        var checked: [(account: String, budget: String, books: [BookFigures])] = []
        for account in accounts.items {
            for budget in try await ledger.budgets(account: account.id, organisation: visitor.organisation) {
                let books = try await ledger.books(
                    generation: budget.generation, limit: Self.checkedPeriods, organisation: visitor.organisation)
                checked.append((account.id, budget.name, books))
            }
        }
        return Page.answer(checked, next: accounts.next) { json, item in
            let wrong = item.books.flatMap { book in book.violations.map { (book, $0) } }
            json.object { json in
                json.field("account", item.account)
                json.field("budget", item.budget)
                json.field("periods", item.books.count)
                json.array("violations", wrong) { json, found in
                    json.object { json in
                        json.field("period", found.0.periodID)
                        json.time("start", found.0.start * 1000)
                        json.field("detail", found.1)
                    }
                }
            }
        }
    }
}

/// Where a list of reservations goes on.
private struct ReservationPlace {
    var session = ""
    var number: Int64 = -1

    init(session: String) { self.session = session }

    init(_ position: String?) throws(Problem) {
        guard let position else { return }
        let parts = position.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, let number = Int64(parts[0]) else {
            throw .invalid("?cursor", "is not a cursor of this list")
        }
        self.number = number
        session = String(parts[1])
    }
}
