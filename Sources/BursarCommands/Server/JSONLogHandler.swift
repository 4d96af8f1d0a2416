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

    func log(
        level: Logger.Level, message: Logger.Message, metadata given: Logger.Metadata?, source: String, file: String,
        function: String, line: UInt
    ) {
        let provided = metadataProvider?.get() ?? [:]
        let all = metadata.merging(provided) { $1 }.merging(given ?? [:]) { $1 }
        var json = JSONWriter()
        json.object { json in
            json.time("time", Int64(Date().timeIntervalSince1970 * 1000))
            json.field("level", level.rawValue)
            json.field("logger", label)
            json.field("message", "\(message)")
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
