// Optimistic concurrency: the ETag of a resource is its version.

import HTTPTypes

package enum EntityTag {
    /// The header value for a version.
    package static func value(_ version: Int64) -> String { "\"\(version)\"" }

    /// Checks `If-Match` and `If-None-Match: *` against the present version (nil: the resource does not exist).
    /// - Returns: the version that a following write must still find; nil when the client set no condition.
    /// - Throws: 412 when the condition fails, 400 when it is no list of entity tags.
    package static func check(_ headers: HTTPFields, version: Int64?) throws(Problem) -> Int64? {
        if let none = headers[.ifNoneMatch] {
            guard none == "*" else {
                throw .badRequest(
                    "If-None-Match may only be *.",
                    errors: [.init(pointer: "header:if-none-match", detail: "must be *")])
            }
            if version != nil { throw .preconditionFailed("It exists already.") }
        }
        guard let match = headers[.ifMatch] else { return nil }
        guard let version else { throw .preconditionFailed("It does not exist.") }
        if match == "*" { return version }
        var found = false
        for part in match.split(separator: ",", omittingEmptySubsequences: false) {
            let tag = part.drop { $0 == " " }
            let trimmed = tag.hasSuffix(" ") ? tag.dropLast(tag.reversed().prefix { $0 == " " }.count) : tag
            guard trimmed.count >= 2, trimmed.hasPrefix("\"") || trimmed.hasPrefix("W/\""), trimmed.hasSuffix("\"")
            else {
                throw .badRequest(
                    "If-Match must be an entity tag.",
                    errors: [.init(pointer: "header:if-match", detail: "must be an entity tag such as \"7\"")])
            }
            // A weak tag never matches here (RFC 9110, strong comparison).
            found = found || trimmed == value(version)
        }
        guard found else { throw .preconditionFailed() }
        return version
    }
}
