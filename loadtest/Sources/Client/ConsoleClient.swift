// Reads the books through the console, as any user would: the report must not believe the nodes that it measures.

import Foundation
import NIOHTTP1
import QuotaCore

/// One budget's books at one moment, in the unit's book parts (micro-dollars, tokens, requests).
struct BookReading: Sendable, Hashable {
    var name: BudgetName
    var unit: BudgetUnit
    var period: String
    /// Whether the budget refuses: neither soft nor a shadow.
    var isEnforced: Bool
    var allowance: Int64
    var available: Int64
    var spent: Int64
    var leased: Int64
    var inDoubt: Int64
    /// The worst case that the console states; nil where it states none.
    var exposure: Int64?

    /// G1: the books add up.
    var isConserved: Bool { allowance == available + spent + leased + inDoubt }

    /// The part of the exposure that is still to come: without what is already committed beyond the allowance.
    var exposureAhead: Int64 { max(0, (exposure ?? 0) - max(0, -available)) }
}

/// The console's answers that the generator needs.
struct ConsoleClient: Sendable {
    private static let maximumPages = 100
    private static let maximumDepth = 32

    let url: String
    let caller: HTTPCaller

    /// The account and those above it, nearest first, as far as the token may see.
    ///
    /// - Throws: ``LoadError/Code/console``, also when the account itself is unknown.
    func chain(of account: String) async throws -> [String] {
        var chain = [account]
        while chain.count < Self.maximumDepth, let id = chain.last {
            let answer = try await get("/api/v1/accounts/\(id)")
            if chain.count > 1, answer.status == 403 || answer.status == 404 { return chain.dropLast() }
            guard answer.status == 200 else { throw refusal(answer, "account \(id)") }
            struct Account: Decodable { var parent: String? }
            guard let parent = try decode(Account.self, answer).parent, !chain.contains(parent),
                Identifier.isValid(parent)
            else { return chain }
            chain.append(parent)
        }
        return chain
    }

    /// The books of an account's budgets. A budget without live figures that the token may read is left out.
    func budgets(of account: String) async throws -> [BookReading] {
        var readings: [BookReading] = []
        var cursor: String?
        for _ in 0..<Self.maximumPages {
            let query = cursor.map { cursor in
                "?cursor=" + (cursor.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? "")
            }
            let answer = try await get("/api/v1/accounts/\(account)/budgets" + (query ?? ""))
            guard answer.status == 200 else { throw refusal(answer, "the budgets of \(account)") }
            let page = try decode(Page.self, answer)
            for item in page.items {
                if let reading = try reading(of: item, account: account) { readings.append(reading) }
            }
            cursor = page.nextCursor
            if cursor == nil { return readings }
        }
        throw LoadError(.console, "\(account) has more pages of budgets than \(Self.maximumPages)")
    }

    /// Changes a rule.
    ///
    /// - Throws: ``LoadError/Code/console`` unless the answer is a success.
    func change(_ method: HTTPMethod, _ path: String, body: String? = nil) async throws {
        let answer = try await send(method, path, body: body)
        guard (200..<300).contains(answer.status) else { throw refusal(answer, "\(method) \(path)") }
    }

    private func get(_ path: String) async throws -> HTTPAnswer { try await send(.GET, path, body: nil) }

    private func send(_ method: HTTPMethod, _ path: String, body: String?) async throws -> HTTPAnswer {
        do {
            return try await caller.send(method, url + path, body: body)
        } catch let error as CancellationError {
            throw error
        } catch {
            throw LoadError(.console, "the console at \(url) gave no answer", cause: error)
        }
    }

    private func refusal(_ answer: HTTPAnswer, _ what: String) -> LoadError {
        struct Problem: Decodable { var detail: String? }
        let detail = (try? decode(Problem.self, answer))?.detail.map { ": \($0)" } ?? ""
        return LoadError(.console, "the console answered \(answer.status) for \(what)\(detail)")
    }

    private func decode<Value: Decodable>(_ type: Value.Type, _ answer: HTTPAnswer) throws(LoadError) -> Value {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        do {
            return try decoder.decode(type, from: answer.body)
        } catch {
            throw LoadError(.console, "the console's answer can't be read", cause: error)
        }
    }

    private struct Page: Decodable {
        var items: [Item]
        var nextCursor: String?
    }

    private struct Item: Decodable {
        struct Period: Decodable { var id: String }
        struct Live: Decodable {
            var period: Period?
            var allowance: DecimalText?
            var available: DecimalText?
            var spent: DecimalText?
            var leased: DecimalText?
            var inDoubt: DecimalText?
            /// An amount, or a word such as `unbounded`.
            var worstCaseExposure: DecimalText?
            var enforced: Bool?
        }
        /// The budget's id, under either name.
        var id: String?
        var budget: String?
        var unit: BudgetUnit
        var mode: String?
        var live: Live?
    }

    private func reading(of item: Item, account: String) throws(LoadError) -> BookReading? {
        guard let budget = item.id ?? item.budget else { throw LoadError(.console, "a budget of \(account) has no id") }
        guard let live = item.live, let allowance = live.allowance, let available = live.available,
            let spent = live.spent, let leased = live.leased, let inDoubt = live.inDoubt
        else { return nil }
        func amount(_ text: DecimalText) throws(LoadError) -> Int64 {
            do {
                return try Amount.parse(text.text, unit: item.unit, signed: true)
            } catch {
                throw LoadError(
                    .console, "'\(text.text)' in \(account)/\(budget) is no amount of \(item.unit.rawValue)")
            }
        }
        return BookReading(
            name: BudgetName(account: account, budget: budget), unit: item.unit, period: live.period?.id ?? "",
            isEnforced: live.enforced ?? (item.mode != "shadow"), allowance: try amount(allowance),
            available: try amount(available), spent: try amount(spent), leased: try amount(leased),
            inDoubt: try amount(inDoubt),
            exposure: live.worstCaseExposure.flatMap { try? Amount.parse($0.text, unit: item.unit, signed: true) })
    }
}
