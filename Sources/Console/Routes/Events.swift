// Server-sent events: the organisation's stream as it grows. Every stream reads the ledger at its own pace and goes on
// from the version it has shown, so a slow reader costs no memory and a reconnect loses nothing that is still kept.

import HTTPSupport
import HTTPTypes
import Hummingbird
import Ledger
import NIOCore
import QuotaCore
import ServiceLifecycle

extension HTTPField.Name {
    private static func known(_ name: String) -> HTTPField.Name {
        guard let made = HTTPField.Name(name) else { preconditionFailure("not a header name: \(name)") }
        return made
    }

    static let lastEventID = known("Last-Event-ID")
    static let accelBuffering = known("X-Accel-Buffering")
}

extension Console {
    var eventsRoute: Route {
        Route(
            .get, "/api/v1/events", name: "followEvents",
            summary: "What happens, as server-sent events that this key may see; `id` is the version. Does not end.",
            parameters: [
                Parameter(
                    "Last-Event-ID", in: .header, schema: #"{"type":"string","pattern":"^[0-9]{1,16}$"}"#,
                    "The version after which to go on; if left out, the present one.")
            ], successes: [Success(200, "Events.", schema: "EventStream", contentType: "text/event-stream")],
            handler: followEvents)
    }

    private func followEvents(_ call: Call) async throws -> Answer {
        try call.noQuery()
        let visitor = try await admit(call)
        let present = try await ledger.organisation(visitor.organisation).booksVersion
        var after = present
        var isComplete = true
        if let text = call.headers[.lastEventID] {
            guard text.utf8.count <= 16, let version = Int64(text), (0...Amount.maximum).contains(version) else {
                throw Problem.invalid("header:last-event-id", "must be the id of an event")
            }
            after = min(version, present)
            isComplete = try await ledger.news(after: after, limit: 1, organisation: visitor.organisation).complete
        }
        guard let (pulses, stop) = news.pulses(visitor.organisation) else {
            throw Problem(
                .serviceUnavailable, code: "too_many_streams", detail: "Too many event streams are open.",
                headers: [.retryAfter: "5"])
        }
        let stream = EventStream(
            visitor: visitor, ledger: ledger, doorkeeper: doorkeeper, heartbeat: settings.heartbeat, after: after,
            hasGap: !isComplete)
        let headers: HTTPFields = [
            .contentType: "text/event-stream", .cacheControl: "no-store", .accelBuffering: "no",
        ]
        return .stream(
            headers: headers,
            ResponseBody { writer in
                defer { stop() }
                var stream = stream
                try await stream.write(pulses, to: &writer)
                try await writer.finish(nil)
            })
    }
}

/// One open stream.
private struct EventStream: Sendable {
    private static let page = 100

    let visitor: Visitor
    let ledger: Ledger
    let doorkeeper: Doorkeeper
    let heartbeat: Duration
    var sight: Sight
    /// The version that was shown last.
    var after: Int64
    /// Something between is kept no more.
    var hasGap: Bool

    init(
        visitor: Visitor, ledger: Ledger, doorkeeper: Doorkeeper, heartbeat: Duration, after: Int64, hasGap: Bool
    ) {
        self.visitor = visitor
        self.ledger = ledger
        self.doorkeeper = doorkeeper
        self.heartbeat = heartbeat
        self.after = after
        self.hasGap = hasGap
        sight = Sight(visitor, ledger)
    }

    /// Writes until the client goes away, the key is revoked, or the console shuts down.
    mutating func write(_ pulses: AsyncStream<Void>, to writer: inout any ResponseBodyWriter) async throws {
        try await writer.write(ByteBuffer(string: "retry: 1000\n\n"))
        var spoke = ContinuousClock.now
        for await _ in pulses.cancelOnGracefulShutdown() {
            let text: ByteBuffer
            do {
                guard try await doorkeeper.isWelcome(visitor) else { return }
                text = try await news()
            } catch let error as LedgerError {
                // Out of reach: the stream waits with its client.
                guard error.code == .unavailable else { return }
                text = ByteBuffer()
            }
            let now = ContinuousClock.now
            if text.readableBytes > 0 {
                try await writer.write(text)
                spoke = now
            } else if now - spoke >= heartbeat {
                try await writer.write(ByteBuffer(string: ": still here\n\n"))
                spoke = now
            }
        }
    }

    /// What has happened since, at most some pages: the next pulse brings the rest.
    private mutating func news() async throws -> ByteBuffer {
        var text = ByteBuffer()
        if hasGap {
            text.writeString("event: gap\ndata: {\"after\":\(after)}\n\n")
            hasGap = false
        }
        for _ in 0..<10 {
            let page = try await ledger.events(after: after, limit: Self.page, organisation: visitor.organisation)
            if page.version < after {
                // The books have lost what was shown.
                after = page.version
                text.writeString("event: gap\ndata: {\"after\":\(after)}\n\n")
                break
            }
            for event in page.items {
                if event.kind.hasPrefix("account.") { sight.forget() }
                after = event.version
                guard try await sight.sees(event.account) else { continue }
                var json = JSONWriter()
                json.object { $0.event(event) }
                text.writeString("id: \(event.version)\nevent: \(event.kind)\ndata: ")
                text.writeImmutableBuffer(json.buffer)
                text.writeString("\n\n")
            }
            if let next = page.next { after = max(after, next) }
            if page.items.count < Self.page { break }
        }
        return text
    }
}
