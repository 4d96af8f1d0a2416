// Judges bodies by the same records as the console does, so that a file is refused before anything is changed.

import Foundation
import Ledger
import QuotaCore

enum BodyCheck {
    typealias Problem = (pointer: String, detail: String)

    static func organisation(_ value: JSONValue) throws -> [Problem] {
        let problems = unknown(value, OrganisationRecord.knownKeys)
        return problems.isEmpty ? try decode(OrganisationRecord.self, value).validate() : problems
    }

    static func account(_ value: JSONValue) throws -> [Problem] {
        var problems = unknown(value, AccountRecord.knownKeys)
        problems += unknown(value["models"], ModelRule.knownKeys, at: "/models")
        for (index, head) in (value["heads"]?.items ?? []).enumerated() {
            problems += unknown(head, AccountHead.knownKeys, at: "/heads/\(index)")
        }
        return problems.isEmpty ? try decode(AccountRecord.self, value).validate() : problems
    }

    static func budget(_ value: JSONValue) throws -> [Problem] {
        var problems = unknown(value, BudgetRecord.knownKeys)
        problems += unknown(value["rollover"], RolloverRecord.knownKeys, at: "/rollover")
        problems += unknown(value["next"], NextAmountRecord.knownKeys, at: "/next")
        problems += unknown(value["outage"], OutageRecord.knownKeys, at: "/outage")
        problems += unknown(value["on_request"], OnRequestRecord.knownKeys, at: "/on_request")
        for (index, step) in (value["policy"]?.items ?? []).enumerated() {
            problems += unknown(step, PolicyStep.knownKeys, at: "/policy/\(index)")
        }
        guard problems.isEmpty else { return problems }
        // The organisation's zone is the server's to fill in; any will do to judge the rest.
        return try decode(BudgetRecord.self, value).withDefaults(timezone: "UTC").validate()
    }

    static func key(_ value: JSONValue) throws -> [Problem] {
        let problems = unknown(value, ["name", "role", "default_account", "principal", "expires_at"])
        guard problems.isEmpty else { return problems }
        let words = KeyRole.allCases.map(\.rawValue)
        guard let role = value["role"]?.text else { return [("/role", "is missing")] }
        return words.contains(role) ? [] : [("/role", "must be one of \(words.joined(separator: ", "))")]
    }

    static func prices(_ value: JSONValue) throws -> [Problem] {
        _ = try decode(PriceBook.self, value)
        return []
    }

    private static func decode<Record: Decodable>(_ type: Record.Type, _ value: JSONValue) throws -> Record {
        guard case .object = value else { throw ValueError(message: "must be a mapping") }
        return try JSONDecoder().decode(type, from: Data(value.compact.utf8))
    }

    private static func unknown(_ value: JSONValue?, _ known: [String], at pointer: String = "") -> [Problem] {
        (value?.members.keys.sorted() ?? []).filter { !known.contains($0) }
            .map { ("\(pointer)/\($0)", "is not a known field") }
    }

    /// What a decoder said, for people.
    static func problem(_ error: any Error) -> Problem {
        func pointer(_ path: [any CodingKey]) -> String {
            path.map { "/" + ($0.intValue.map(String.init) ?? $0.stringValue.replacing("/", with: "~1")) }.joined()
        }
        switch error {
        case let error as ValueError: return (error.field.map { "/\($0)" } ?? "", error.message)
        case DecodingError.keyNotFound(let key, let context): return (pointer(context.codingPath + [key]), "is missing")
        case DecodingError.valueNotFound(_, let context): return (pointer(context.codingPath), "must not be null")
        case DecodingError.typeMismatch(let type, let context):
            return (pointer(context.codingPath), own(context) ?? word(type))
        case DecodingError.dataCorrupted(let context):
            return (pointer(context.codingPath), own(context) ?? "is not valid")
        default: return ("", "\(error)")
        }
    }

    /// A text of our own decoders; those of the library speak of Swift's types.
    private static func own(_ context: DecodingError.Context) -> String? {
        if let error = context.underlyingError as? ValueError { return error.message }
        return context.debugDescription.hasPrefix("must ") ? context.debugDescription : nil
    }

    private static func word(_ type: any Any.Type) -> String {
        switch type {
        case is String.Type: "must be a text"
        case is Bool.Type: "must be true or false"
        case is Int64.Type, is Int.Type: "must be an integer"
        case is [String: Any].Type: "must be a mapping"
        case is [Any].Type: "must be a list"
        default: "has the wrong type"
        }
    }
}
