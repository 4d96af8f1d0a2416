// Logs as one JSON object a line, for collectors that index fields.

import Foundation
import HTTPSupport
import Logging
import NIOCore

struct JSONLogHandler: LogHandler {
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?
    var logLevel = Logger.Level.info
    private let label: String
    private let write: @Sendable (String) -> Void

    /// - Parameter write: takes one line without its end.
    init(label: String, write: @escaping @Sendable (String) -> Void = Terminal.error) {
        self.label = label
        self.write = write
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let provided = metadataProvider?.get() ?? [:]
        var all = metadata.merging(provided) { $1 }.merging(event.metadata ?? [:]) { $1 }
        if let error = event.error { all["error"] = "\(error)" }
        var json = JSONWriter()
        json.object { json in
            json.time("time", Int64(Date().timeIntervalSince1970 * 1000))
            json.field("level", event.level.rawValue)
            json.field("logger", label)
            json.field("message", "\(event.message)")
            // Below a member of its own: no key can be mistaken for one of the above.
            if !all.isEmpty {
                json.object("fields") { json in
                    for (key, value) in all.sorted(by: { $0.key < $1.key }) { json.field(named: key, "\(value)") }
                }
            }
        }
        write(String(buffer: json.buffer))
    }
}
