// `bursar load` against a whole installation, and where its report goes.

import BursarCommands
import Foundation
import ProcessSupport
import Testing

extension EndToEnd {
    @Suite("bursar load")
    struct LoadCommand {
        @Test("It judges the books after a load over two gateways, and BURSAR_JSON is no name of a file")
        func load() async throws {
            try await Installation.with { bursar in
                let gateways = [try await bursar.gateway("g1"), try await bursar.gateway("g2")]
                let key = try bursar.write("key", bursar.key)
                let report = bursar.folder.appending(path: "report.json").path
                let arguments = [
                    "load", "--scenario", "steady", "--rate", "20", "--duration", "2s", "--pace", "0",
                    "--gateways", gateways.map(\.url).joined(separator: ","), "--key-file", key, "--accounts", "search",
                    "--console", bursar.console,
                ]
                let token = ["BURSAR_TOKEN": Installation.adminToken, "BURSAR_JSON": "true"]
                // In a folder of its own, where a file of any name would be seen.
                let place = bursar.folder.appending(path: "empty")
                try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
                let result = try await Program.run(
                    ["-c", #"cd "$1"; shift; exec "$@""#, "sh", place.path, try Program.path()] + arguments
                        + ["--json", report],
                    environment: token, executable: "/bin/sh", within: .seconds(120))
                #expect(result.code == 0, "\(result)")
                #expect(try FileManager.default.contentsOfDirectory(atPath: place.path).isEmpty)
                let text = try String(contentsOfFile: report, encoding: .utf8)
                let json = try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
                #expect(json["verdict"]?.string == "ok", "\(text)")
                #expect(json["g1"] != nil, "\(text)")
                let books = try await bursar.books()
                #expect(json["budgets"]?.items.first?["spent"]?.text == "\(books.spent)", "\(text)")
                #expect(books.spent > 0)
            }
        }
    }
}
