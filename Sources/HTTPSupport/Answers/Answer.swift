// What a handler returns: an answer that is held whole, so that it can be stored for replays, or a stream.

import HTTPTypes
import Hummingbird
import NIOCore

package struct Answer: Sendable {
    package var status: HTTPResponse.Status
    package var headers: HTTPFields
    /// The whole body; empty for a stream.
    package var body: ByteBuffer
    package var stream: ResponseBody?

    package init(status: HTTPResponse.Status, headers: HTTPFields = [:], body: ByteBuffer = ByteBuffer()) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// A JSON answer.
    package init(_ status: HTTPResponse.Status = .ok, headers: HTTPFields = [:], json: JSONWriter) {
        self.init(status: status, headers: headers, body: json.buffer)
        self.headers[.contentType] = "application/json"
    }

    /// A JSON object, written on the spot.
    package static func json(
        _ status: HTTPResponse.Status = .ok, headers: HTTPFields = [:], _ write: (inout JSONWriter) -> Void
    ) -> Answer {
        var json = JSONWriter()
        json.object(write)
        return Answer(status, headers: headers, json: json)
    }

    package static func text(
        _ text: String, type: String = "text/plain; charset=utf-8", status: HTTPResponse.Status = .ok
    ) -> Answer {
        Answer(status: status, headers: [.contentType: type], body: ByteBuffer(string: text))
    }

    /// An answer that is written piece by piece, such as server-sent events.
    package static func stream(
        _ status: HTTPResponse.Status = .ok, headers: HTTPFields, _ body: ResponseBody
    ) -> Answer {
        var answer = Answer(status: status, headers: headers)
        answer.stream = body
        return answer
    }

    package static var noContent: Answer { Answer(status: .noContent) }

    var response: Response {
        if let stream { return Response(status: status, headers: headers, body: stream) }
        guard status != .noContent else {
            // RFC 9110: a 204 carries no Content-Length.
            var response = Response(status: status, headers: headers)
            response.headers[.contentLength] = nil
            return response
        }
        return Response(status: status, headers: headers, body: .init(byteBuffer: body))
    }
}
