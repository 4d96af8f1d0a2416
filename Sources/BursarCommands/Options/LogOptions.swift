// How much a process tells, and in which form.

import ArgumentParser
import Logging

extension Logger.Level: @retroactive ExpressibleByArgument {}

struct LogOptions: ParsableArguments {
    enum Format: String, ExpressibleByArgument, CaseIterable { case text, json }

    @Option(name: .long, help: "The least severe events to log.")
    var logLevel = Logger.Level.info

    @Option(name: .long, help: "text for people, json for log collectors: one object a line.")
    var logFormat = Format.text

    /// The process's logger, on standard error.
    func logger(_ label: String) -> Logger {
        let isJSON = logFormat == .json
        var logger = Logger(label: label) { (label) -> any LogHandler in
            if isJSON { return JSONLogHandler(label: label) }
            return StreamLogHandler.standardError(label: label)
        }
        logger.logLevel = logLevel
        return logger
    }
}
