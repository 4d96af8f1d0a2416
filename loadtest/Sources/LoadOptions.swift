// Everything that a run can be told, with its limits, so that a wrong option is named before the first request leaves.

import Foundation
import QuotaCore

/// The options of one run. `validated()` checks them; the names in its errors are those of the command line.
package struct LoadOptions: Sendable {
    package enum Scenario: String, Sendable, CaseIterable {
        /// Requests as a trace recorded them.
        case replay
        /// Equal requests at a constant rate.
        case steady
        /// How fast a block and its end reach all gateways.
        case blockDrill = "block-drill"
        /// How fast a raise of an exhausted budget reaches all gateways.
        case raiseDrill = "raise-drill"

        /// Whether it changes rules through the console instead of sending load.
        package var isDrill: Bool { self == .blockDrill || self == .raiseDrill }
    }

    /// How requests are split over the accounts.
    package enum Split: String, Sendable, CaseIterable {
        case roundRobin = "round-robin"
        /// Drawn from `seed`.
        case seeded
    }

    package var scenario = Scenario.replay
    /// Base URLs. Reservations go to them in turn.
    package var gateways: [String]
    /// The file whose text is the gateways' key.
    package var keyFile: String
    package var accounts: [String]
    package var model: String?

    /// `replay`: the trace, a CSV file with the header `TIMESTAMP,ContextTokens,GeneratedTokens`.
    package var trace: String?
    /// `replay`: how many times faster than recorded.
    package var speed = 1.0
    /// `steady`: requests a second.
    package var rate = 100.0
    /// `steady`: for how long.
    package var duration = Duration.seconds(10)
    /// `steady`: tokens of each request.
    package var inputTokens = 500
    package var outputTokens = 200

    /// Drills: how many changes are measured.
    package var rounds = 100
    /// Drills: how long all gateways may take to follow one change.
    package var roundTimeout = Duration.seconds(10)
    /// Drills: between a gateway's answer and the next question to it.
    package var probePause = Duration.zero
    /// `raise-drill`: tokens that are given and used up in each round.
    package var raiseTokens = 100_000

    package var split = Split.roundRobin
    package var seed: UInt64 = 1
    /// The estimated output tokens of every request; nil: the real ones times `estimateFactor`.
    package var estimateOutput: Int?
    package var estimateFactor = 1.25
    /// Tokens a second that the imagined model generates: the time between reservation and commit. 0 is no time at
    /// all. `replay` divides it by the speed.
    package var pace = 50.0
    /// The share of commits that go to another gateway than the reservation.
    package var commitElsewhere = 0.1
    /// How often one commit is sent at most.
    package var commitAttempts = 10
    /// `ttl_s` of the reservations.
    package var reservationTTLSeconds = 120

    /// Requests between their reservation and their last answer. One that is due beyond it waits and counts as late.
    package var maxInFlight = 4096
    /// Connections to each gateway.
    package var connections = 64
    package var requestTimeout = Duration.seconds(5)
    /// The run stops sending after this; nil: the plan's own length and a minute.
    package var timeLimit: Duration?

    /// The console's base URL; nil leaves budgets and G1 out of the report.
    package var console: String?
    package var consoleToken: String?
    /// Sent as `x-bursar-organisation`; the bootstrap token needs it for any but the default organisation.
    package var organisation: String?
    /// How often the books are read during the run.
    package var watchInterval = Duration.seconds(1)
    /// How long to wait after the run for all leases to come back.
    package var settleTimeout = Duration.seconds(30)
    /// How long leases that don't come back must stay the same to be taken for settled.
    package var settleStable = Duration.seconds(6)
    /// A first denial below this share of an allowance breaks the run; nil only reports the share.
    package var firstDenialAtLeast: Double?

    /// The Redis whose commands are counted; nil leaves the figure out.
    package var redis: String?
    /// Where the report is written as JSON.
    package var jsonPath: String?

    package init(gateways: [String], keyFile: String, accounts: [String]) {
        self.gateways = gateways
        self.keyFile = keyFile
        self.accounts = accounts
    }

    /// Itself with normal URLs.
    ///
    /// - Throws: ``LoadError/Code/options`` for the first option that can't be used.
    func validated() throws(LoadError) -> LoadOptions {
        var options = self
        try Self.require((1...256).contains(gateways.count), "--gateways takes 1 to 256 URLs")
        options.gateways = try gateways.map { url throws(LoadError) in try Self.base(url, "--gateways") }
        try Self.require((1...1000).contains(accounts.count), "--accounts takes 1 to 1000 ids")
        for account in accounts {
            try Self.require(Identifier.isValid(account), "--accounts: '\(account)' is not an account id")
        }
        if scenario == .replay { try Self.require(trace != nil, "--trace is needed for the scenario replay") }
        if scenario.isDrill {
            try Self.require(console != nil, "--console is needed for drills")
            try Self.require(accounts.count == 1, "--accounts takes one account for drills")
        }
        try Self.require((1...100_000).contains(rounds), "--rounds is from 1 to 100000")
        try Self.require(
            roundTimeout >= .milliseconds(1) && roundTimeout <= .seconds(600),
            "--round-timeout is from 1 ms to 10 minutes")
        try Self.require(
            probePause >= .zero && probePause <= .seconds(60), "--probe-pause is from 0 to 60 seconds")
        try Self.require((1...1_000_000_000).contains(raiseTokens), "--raise-tokens is from 1 to 1000000000")
        try Self.require((0.001...1_000_000).contains(speed), "--speed is from 0.001 to 1000000")
        try Self.require((0.001...1_000_000).contains(rate), "--rate is from 0.001 to 1000000 requests a second")
        try Self.require(
            duration >= .milliseconds(1) && duration <= .seconds(86_400), "--duration is from 1 ms to 24 hours")
        try Self.require((0...TraceReader.maximumTokens).contains(inputTokens), "--input-tokens is out of range")
        try Self.require((0...TraceReader.maximumTokens).contains(outputTokens), "--output-tokens is out of range")
        try Self.require(
            (0...TraceReader.maximumTokens).contains(estimateOutput ?? 0), "--estimate-output is out of range")
        try Self.require((0...100).contains(estimateFactor), "--estimate-factor is from 0 to 100")
        try Self.require(pace >= 0 && pace.isFinite, "--pace is not negative")
        try Self.require((0...1).contains(commitElsewhere), "--commit-elsewhere is a share from 0 to 1")
        try Self.require((1...100).contains(commitAttempts), "--commit-attempts is from 1 to 100")
        try Self.require((1...3600).contains(reservationTTLSeconds), "--reservation-ttl is from 1 to 3600 seconds")
        try Self.require((1...1_000_000).contains(maxInFlight), "--max-in-flight is from 1 to 1000000")
        try Self.require((1...10_000).contains(connections), "--connections is from 1 to 10000")
        try Self.require(
            requestTimeout >= .milliseconds(1) && requestTimeout <= .seconds(600),
            "--request-timeout is from 1 ms to 10 minutes")
        try Self.require(timeLimit ?? .seconds(1) > .zero, "--time-limit is more than 0")
        try Self.require(
            watchInterval >= .milliseconds(10) && settleTimeout >= .zero && settleStable >= .zero,
            "--watch-interval is at least 10 ms, --settle-timeout not negative")
        try Self.require((0...1).contains(firstDenialAtLeast ?? 0), "--first-denial-at-least is a share from 0 to 1")
        if let console {
            options.console = try Self.base(console, "--console")
            try Self.require(!(consoleToken ?? "").isEmpty, "--console needs a token (BURSAR_TOKEN)")
        }
        if let jsonPath {
            let folder = URL(filePath: jsonPath).deletingLastPathComponent().path
            try Self.require(FileManager.default.isWritableFile(atPath: folder), "--json: \(folder) is not writable")
        }
        return options
    }

    private static func require(_ condition: Bool, _ message: @autoclosure () -> String) throws(LoadError) {
        if !condition { throw LoadError(.options, message()) }
    }

    /// A base URL without the slash at its end.
    private static func base(_ text: String, _ option: String) throws(LoadError) -> String {
        guard let url = URL(string: text), url.scheme == "http" || url.scheme == "https", url.host() != nil,
            url.query() == nil
        else { throw LoadError(.options, "\(option): '\(text)' is not an http or https URL") }
        return text.hasSuffix("/") ? String(text.dropLast()) : text
    }
}
