// Durations as people write them: 250ms, 5s, 10m, 2h.

import ArgumentParser

/// A duration on the command line.
struct TimeSpan: ExpressibleByArgument, Sendable, Hashable, CustomStringConvertible {
    var duration: Duration

    init(_ duration: Duration) { self.duration = duration }

    init?(argument: String) {
        guard let match = argument.wholeMatch(of: /([0-9]{1,9})(ms|s|m|h|d)?/), let count = Int64(match.1) else {
            return nil
        }
        switch match.2 {
        case "ms": duration = .milliseconds(count)
        case "s": duration = .seconds(count)
        case "m": duration = .seconds(count * 60)
        case "h": duration = .seconds(count * 3600)
        case "d": duration = .seconds(count * 86_400)
        // A bare number would leave its unit to be guessed; nothing is nothing in all of them.
        default:
            guard count == 0 else { return nil }
            duration = .zero
        }
    }

    var milliseconds: Int64 {
        let (seconds, attoseconds) = duration.components
        return seconds * 1000 + attoseconds / 1_000_000_000_000_000
    }

    var description: String {
        let ms = milliseconds
        return ms % 1000 == 0 ? "\(ms / 1000)s" : "\(ms)ms"
    }

    var defaultValueDescription: String { description }
}
