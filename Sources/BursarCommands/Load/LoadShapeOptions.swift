// What `bursar load` sends, how fast and how.

import ArgumentParser
import LoadTest

struct LoadShapeOptions: ParsableArguments {
    @Option(name: .long, help: "replay: the trace.", completion: .file(extensions: ["csv"]))
    var trace: String?

    @Option(name: .long, help: "replay: how many times faster than recorded.")
    var speed = 1.0

    @Option(name: .long, help: "steady: requests a second.")
    var rate = 100.0

    @Option(name: .long, help: "steady: for how long.")
    var duration = TimeSpan(.seconds(10))

    @Option(name: .long, help: "steady: input tokens of each request.")
    var inputTokens = 500

    @Option(name: .long, help: "steady: output tokens of each request.")
    var outputTokens = 200

    @Option(name: .long, help: "Drills: how many changes are measured.")
    var rounds = 100

    @Option(name: .long, help: "Drills: how long all gateways may take to follow one change.")
    var roundTimeout = TimeSpan(.seconds(10))

    @Option(name: .long, help: "Drills: between a gateway's answer and the next question to it.")
    var probePause = TimeSpan(.zero)

    @Option(name: .long, help: "raise-drill: tokens that are given and used up in each round.")
    var raiseTokens = 100_000

    @Option(name: .long, help: "How requests are split over the accounts.")
    var split = LoadOptions.Split.roundRobin

    @Option(name: .long, help: "Seed of --split seeded.")
    var seed: UInt64 = 1

    @Option(name: .long, help: "Estimated output tokens of every request (default: the real ones times a factor).")
    var estimateOutput: Int?

    @Option(name: .long, help: "That factor.")
    var estimateFactor = 1.25

    @Option(name: .long, help: "Tokens a second that the imagined model generates; 0: no time passes.")
    var pace = 50.0

    @Option(name: .long, help: "Share of commits that go to another gateway.")
    var commitElsewhere = 0.1

    @Option(name: .long, help: "How often one commit is sent at most.")
    var commitAttempts = 10

    @Option(name: .long, help: "ttl_s of the reservations.")
    var reservationTTL = TimeSpan(.seconds(120))

    @Option(name: .long, help: "Requests under way at once.")
    var maxInFlight = 4096

    @Option(name: .long, help: "Connections to each gateway.")
    var connections = 64

    @Option(name: .long, help: "How long an answer may take.")
    var requestTimeout = TimeSpan(.seconds(5))

    @Option(name: .long, help: "Stop sending after this (default: the load's own length and a minute).")
    var timeLimit: TimeSpan?

    func set(_ options: inout LoadOptions) {
        options.trace = trace
        options.speed = speed
        options.rate = rate
        options.duration = duration.duration
        options.inputTokens = inputTokens
        options.outputTokens = outputTokens
        options.rounds = rounds
        options.roundTimeout = roundTimeout.duration
        options.probePause = probePause.duration
        options.raiseTokens = raiseTokens
        options.split = split
        options.seed = seed
        options.estimateOutput = estimateOutput
        options.estimateFactor = estimateFactor
        options.pace = pace
        options.commitElsewhere = commitElsewhere
        options.commitAttempts = commitAttempts
        options.reservationTTLSeconds = Int(reservationTTL.milliseconds / 1000)
        options.maxInFlight = maxInFlight
        options.connections = connections
        options.requestTimeout = requestTimeout.duration
        options.timeLimit = timeLimit?.duration
    }
}
