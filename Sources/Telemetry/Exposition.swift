// Metrics as Prometheus reads them: text exposition format 0.0.4. https://prometheus.io/docs/instrumenting/exposition_formats/

/// One sample: labels and a value.
package struct Sample: Sendable {
    package var labels: [(String, String)]
    package var value: Double

    package init(_ value: Int64, _ labels: [(String, String)] = []) {
        self.init(Double(value), labels)
    }

    package init(_ value: Double, _ labels: [(String, String)] = []) {
        self.labels = labels
        self.value = value
    }
}

/// A metric and all its samples.
package struct MetricFamily: Sendable {
    package enum Kind: String, Sendable { case counter, gauge }
    package var name: String
    package var help: String
    package var kind: Kind
    package var samples: [Sample]

    /// - Parameter name: with its unit as suffix; counters end in `_total`.
    package init(_ name: String, _ kind: Kind, help: String, _ samples: [Sample]) {
        precondition(kind != .counter || name.hasSuffix("_total"), "a counter's name ends in _total")
        self.name = name
        self.kind = kind
        self.help = help
        self.samples = samples
    }
}

package enum Exposition {
    /// The media type of `text`.
    package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    package static func text(_ families: [MetricFamily]) -> String {
        var out = ""
        for family in families where !family.samples.isEmpty {
            out += "# HELP \(family.name) \(escape(family.help, quotes: false))\n"
            out += "# TYPE \(family.name) \(family.kind.rawValue)\n"
            for sample in family.samples {
                out += family.name
                if !sample.labels.isEmpty {
                    let labels = sample.labels.map { "\($0.0)=\"\(escape($0.1, quotes: true))\"" }
                    out += "{" + labels.joined(separator: ",") + "}"
                }
                out += " \(number(sample.value))\n"
            }
        }
        return out
    }

    private static func number(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : String(value)
    }

    private static func escape(_ text: String, quotes: Bool) -> String {
        var out = ""
        for character in text {
            switch character {
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\"" where quotes: out += "\\\""
            default: out.append(character)
            }
        }
        return out
    }
}
