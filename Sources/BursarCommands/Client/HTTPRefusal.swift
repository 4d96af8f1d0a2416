// What a server says no with (RFC 9457), as text for people.

/// A status that is no success, with the problem that came with it.
struct HTTPRefusal: Error, Sendable {
    var status: Int
    var problem: JSONValue

    /// Field errors, by pointer.
    var fields: [(pointer: String, detail: String)] {
        (problem["errors"]?.items ?? []).map { ($0["pointer"]?.text ?? "", $0["detail"]?.text ?? "is wrong") }
    }

    var error: CommandError {
        CommandError(isDenied ? .refused : .failed, text, cause: self)
    }

    private var isDenied: Bool { [401, 403, 409, 412, 429].contains(status) }

    private var text: String {
        let code = problem["code"]?.text
        // The detail of a problem with fields repeats the first of them.
        let words = fields.isEmpty ? [problem["detail"], problem["title"]] : [problem["title"], problem["detail"]]
        let detail = words.compactMap { $0?.text }.first ?? "no reason given"
        var lines = ["\(detail) (\(status)\(code.map { " \($0)" } ?? ""))"]
        lines += fields.map { "  \($0.pointer.isEmpty ? "body" : $0.pointer): \($0.detail)" }
        return lines.joined(separator: "\n")
    }
}

extension CommandError {
    /// The server's answer behind an error, for callers that decide by the status.
    var refusal: HTTPRefusal? { cause as? HTTPRefusal }
}
