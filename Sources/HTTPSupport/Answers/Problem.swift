// The one error type of the HTTP layer: what is thrown is what the client reads (RFC 9457).

import HTTPTypes
import Hummingbird
import NIOCore

/// A refusal with its wire form, `application/problem+json`.
package struct Problem: HTTPResponseError, Sendable {
    /// One wrong field. Query parameters and headers are named `?limit`, `header:if-match`.
    package struct FieldError: Sendable, Hashable {
        package var pointer: String
        package var detail: String

        package init(pointer: String, detail: String) {
            self.pointer = pointer
            self.detail = detail
        }
    }

    package var status: HTTPResponse.Status
    /// Stable word for programs, such as `not_found`.
    package var code: String
    package var type: String
    package var title: String
    /// For people; may name ids that the caller may see, never internals.
    package var detail: String
    package var errors: [FieldError]
    package var headers: HTTPFields
    /// Further members of the object.
    package var members: (@Sendable (inout JSONWriter) -> Void)?

    package init(
        _ status: HTTPResponse.Status, code: String, title: String? = nil, detail: String, type: String = "about:blank",
        errors: [FieldError] = [], headers: HTTPFields = [:], members: (@Sendable (inout JSONWriter) -> Void)? = nil
    ) {
        self.status = status
        self.code = code
        self.type = type
        self.title = title ?? status.reasonPhrase
        self.detail = detail
        self.errors = errors
        self.headers = headers
        self.members = members
    }

    /// Writes the problem as a JSON value, also inside another answer (batches).
    package func write(into json: inout JSONWriter) {
        json.object { json in
            json.field("type", type)
            json.field("title", title)
            json.field("status", status.code)
            json.field("code", code)
            json.field("detail", detail)
            if !errors.isEmpty {
                json.array("errors", errors) { json, error in
                    json.object { json in
                        json.field("pointer", error.pointer)
                        json.field("detail", error.detail)
                    }
                }
            }
            members?(&json)
        }
    }

    package var answer: Answer {
        var json = JSONWriter()
        write(into: &json)
        var fields = headers
        fields[.contentType] = "application/problem+json"
        return Answer(status: status, headers: fields, body: json.buffer)
    }

    package func response(from request: Request, context: some RequestContext) throws -> Response { answer.response }
}

extension Problem {
    /// 400: the body is no JSON.
    package static func malformedJSON(_ reason: String, at offset: Int) -> Problem {
        Problem(.badRequest, code: "malformed_json", detail: "The body is not JSON: \(reason) at byte \(offset).")
    }

    /// 400: the request line or a header makes no sense.
    package static func badRequest(_ detail: String, errors: [FieldError] = []) -> Problem {
        Problem(.badRequest, code: "bad_request", detail: detail, errors: errors)
    }

    /// 401. `www-authenticate` tells how to do better.
    package static func unauthorized(_ detail: String = "A valid key is needed.") -> Problem {
        Problem(
            .unauthorized, code: "unauthorized", detail: detail, headers: [.wwwAuthenticate: "Bearer realm=\"bursar\""])
    }

    /// 403: the key's role does not allow it.
    package static func forbidden(_ detail: String, code: String = "forbidden") -> Problem {
        Problem(.forbidden, code: code, detail: detail)
    }

    /// 404: unknown, or not for this key to know.
    package static func notFound(_ detail: String = "There is no such thing.") -> Problem {
        Problem(.notFound, code: "not_found", detail: detail)
    }

    /// 405 with `Allow`.
    package static func methodNotAllowed(_ allowed: [HTTPRequest.Method]) -> Problem {
        let list = allowed.map(\.rawValue).sorted().joined(separator: ", ")
        return Problem(
            .methodNotAllowed, code: "method_not_allowed", detail: "Allowed here: \(list).", headers: [.allow: list])
    }

    /// 408: the body did not arrive in time.
    package static var requestTimeout: Problem {
        Problem(
            .requestTimeout, code: "request_timeout", detail: "The body did not arrive in time.",
            headers: [.connection: "close"])
    }

    /// 409: the state does not allow it.
    package static func conflict(_ detail: String, code: String = "conflict") -> Problem {
        Problem(.conflict, code: code, detail: detail)
    }

    /// 412: `If-Match` names another version.
    package static func preconditionFailed(_ detail: String = "The version has changed.") -> Problem {
        Problem(.preconditionFailed, code: "precondition_failed", detail: detail)
    }

    /// 413.
    package static func bodyTooLarge(limit: Int) -> Problem {
        Problem(.contentTooLarge, code: "body_too_large", detail: "The body may have at most \(limit) bytes.")
    }

    /// 415.
    package static func unsupportedMediaType(_ accepted: String) -> Problem {
        Problem(
            .unsupportedMediaType, code: "unsupported_media_type", detail: "The body must be \(accepted).",
            headers: [.accept: accepted])
    }

    /// 422: well-formed, but fields are wrong.
    package static func validation(_ errors: [FieldError]) -> Problem {
        let first = errors.first.map { $0.pointer.isEmpty ? "The body \($0.detail)." : "\($0.pointer) \($0.detail)." }
        return Problem(
            .unprocessableContent, code: "validation_failed", title: "Validation failed",
            detail: first ?? "The request is not valid.", errors: errors)
    }

    /// 422 about one field.
    package static func invalid(_ pointer: String, _ detail: String) -> Problem {
        validation([.init(pointer: pointer, detail: detail)])
    }

    /// 500: a defect. What went wrong is in the log under the request id, not in the answer.
    package static func internalError(requestID: String) -> Problem {
        Problem(
            .internalServerError, code: "internal_error",
            detail: "Something went wrong on our side; it is logged as request \(requestID).")
    }

    /// 503 `ledger_unavailable`: unable to decide.
    package static func ledgerUnavailable(_ detail: String = "The ledger cannot be reached.") -> Problem {
        Problem(.serviceUnavailable, code: "ledger_unavailable", detail: detail, headers: [.retryAfter: "1"])
    }

    /// 503 `ledger_recovering`: the books are being healed.
    package static func ledgerRecovering(_ detail: String = "The books are being healed.") -> Problem {
        Problem(.serviceUnavailable, code: "ledger_recovering", detail: detail, headers: [.retryAfter: "1"])
    }
}
