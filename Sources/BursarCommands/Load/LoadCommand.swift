// `bursar load`: sends load through gateways and compares what clients were told with the books.

import ArgumentParser
import LoadTest

extension LoadOptions.Scenario: ExpressibleByArgument {}
extension LoadOptions.Split: ExpressibleByArgument {}

struct LoadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load", abstract: "Generates load: replays a trace over gateways and judges the books.",
        discussion: """
            A trace is a CSV file with the header TIMESTAMP,ContextTokens,GeneratedTokens, times in UTC. With --console \
            the report compares the books with the acknowledged commits. The drills block and raise an account again and \
            again and tell how fast all gateways follow. Exits with 1 when a guarantee broke.
            """)

    @Option(name: .long, help: "replay a trace, a steady rate of equal requests, block-drill or raise-drill.")
    var scenario = LoadOptions.Scenario.replay

    @Option(name: .long, help: "The gateways' URLs, separated by commas.")
    var gateways: String

    @Option(name: .long, help: "File with the gateways' key.", completion: .file())
    var keyFile: String

    @Option(name: .long, help: "The accounts to spend as, separated by commas.")
    var accounts: String

    @Option(name: .long, help: "The model of every request.")
    var model: String?

    @OptionGroup(title: "Load") var shape: LoadShapeOptions
    @OptionGroup(title: "Books") var books: LoadBookOptions

    // Set elsewhere it is BURSAR_REPORT: BURSAR_JSON is yes or no, for every command that has a flag of that name.
    @Option(
        name: [.customLong("report"), .customLong("json")],
        help: .init("Write the report as JSON to this file.", valueName: "file"),
        completion: .file(extensions: ["json"]))
    var report: String?

    @Flag(name: [.long, .customShort("q")], help: "No progress, no report: the exit code tells.")
    var quiet = false

    @OptionGroup var settings: ConfigOptions

    func run() async throws {
        var options = LoadOptions(gateways: Self.list(gateways), keyFile: keyFile, accounts: Self.list(accounts))
        options.scenario = scenario
        options.model = model
        options.jsonPath = report
        shape.set(&options)
        try books.set(&options)
        let progress = quiet ? LoadProgress.none : .standardError
        let (text, isFine): (String, Bool)
        do {
            if scenario.isDrill {
                let report = try await DrillRun(options, progress: progress).run()
                (text, isFine) = (report.text, report.verdict.isFine)
            } else {
                let report = try await LoadRun(options, progress: progress).run()
                (text, isFine) = (report.text, report.verdict.isFine)
            }
        } catch let error as LoadError where error.code == .options {
            throw CommandError(.usage, error.message)
        } catch let error as LoadError {
            throw CommandError(.failed, error.description)
        }
        if !quiet { Terminal.line(text) }
        guard isFine else { throw CommandError(.failed, "a guarantee broke") }
    }

    private static func list(_ text: String) -> [String] {
        text.split(separator: ",").map { $0.filter { $0 != " " } }
    }
}
