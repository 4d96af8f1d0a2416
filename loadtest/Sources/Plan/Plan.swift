// When each request is due, for whom, and what it will use: fixed by options and seed before anything is sent, so that
// two runs ask the same and answers can't bend the load.

/// One request of the plan.
struct Arrival: Sendable, Hashable {
    /// Since the start of the run.
    var offset: Duration
    /// Index into the accounts.
    var account: Int
    /// Index into the gateways: of the reservation, and of the first attempt to commit.
    var gateway: Int
    var commitGateway: Int
    var inputTokens: Int
    var outputTokens: Int
    var estimatedOutput: Int
    /// Between the admission and the commit.
    var thinkTime: Duration

    var realTokens: Int64 { Int64(inputTokens + outputTokens) }
    var estimatedTokens: Int64 { Int64(inputTokens + estimatedOutput) }
}

/// All requests of a run in the order of their time.
struct Plan {
    private enum Source {
        case trace(TraceReader, firstTicks: Int64)
        case steady
    }

    let count: Int
    /// From the first request to the last.
    let length: Duration
    private let options: LoadOptions
    private var source: Source
    private var number = 0
    private var random: SplitMix64

    /// Reads a trace once to its end, so that a wrong line stops the run before its first request.
    init(_ options: LoadOptions) throws(LoadError) {
        self.options = options
        random = SplitMix64(state: options.seed)
        switch options.scenario {
        case .replay:
            let path = options.trace ?? ""
            let summary = try TraceReader.summary(path: path)
            source = .trace(try TraceReader(path: path), firstTicks: summary.firstTicks)
            count = summary.rows
            length = Self.duration(ticks: summary.lastTicks - summary.firstTicks, speed: options.speed)
        // Drills have no plan: who runs them never comes here.
        case .steady, .blockDrill, .raiseDrill:
            source = .steady
            length = options.duration
            count = max(1, Int((options.duration.inSeconds * options.rate).rounded()))
        }
    }

    mutating func next() throws(LoadError) -> Arrival? {
        guard number < count else { return nil }
        let offset: Duration
        let (input, output): (Int, Int)
        switch source {
        case .trace(var reader, let firstTicks):
            guard let row = try reader.next() else { return nil }
            source = .trace(reader, firstTicks: firstTicks)
            offset = Self.duration(ticks: row.ticks - firstTicks, speed: options.speed)
            (input, output) = (row.contextTokens, row.generatedTokens)
        case .steady:
            offset = .nanoseconds(Int64(Double(number) / options.rate * 1e9))
            (input, output) = (options.inputTokens, options.outputTokens)
        }
        defer { number += 1 }
        // Drawn for every request, used or not: one option doesn't shift what another one draws.
        let (accountDraw, elsewhereDraw, otherDraw) = (random.next(), random.share(), random.next())
        let gateways = options.gateways.count
        // One step further after each round of all pairs, so that every account meets every gateway.
        let gateway = (number + number / pairsInRound) % gateways
        var commitGateway = gateway
        if gateways > 1, elsewhereDraw < options.commitElsewhere {
            commitGateway = (gateway + 1 + Int(otherDraw % UInt64(gateways - 1))) % gateways
        }
        return Arrival(
            offset: offset, account: account(drawn: accountDraw), gateway: gateway, commitGateway: commitGateway,
            inputTokens: input, outputTokens: output, estimatedOutput: estimate(of: output),
            thinkTime: thinkTime(of: output))
    }

    private func account(drawn: UInt64) -> Int {
        let accounts = options.accounts.count
        return switch options.split {
        case .roundRobin: number % accounts
        case .seeded: Int(drawn % UInt64(accounts))
        }
    }

    /// The least common multiple of the counts of accounts and gateways.
    private var pairsInRound: Int {
        var (a, b) = (options.accounts.count, options.gateways.count)
        while b != 0 { (a, b) = (b, a % b) }
        return options.accounts.count / a * options.gateways.count
    }

    private func estimate(of output: Int) -> Int {
        options.estimateOutput ?? Int((Double(output) * options.estimateFactor).rounded(.up))
    }

    private func thinkTime(of output: Int) -> Duration {
        guard options.pace > 0 else { return .zero }
        let speed = options.scenario == .replay ? options.speed : 1
        return .nanoseconds(Int64(Double(output) / options.pace / speed * 1e9))
    }

    private static func duration(ticks: Int64, speed: Double) -> Duration {
        .nanoseconds(Int64(Double(ticks) * 100 / speed))
    }
}

extension Duration {
    var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }

    /// Whole microseconds, never negative.
    var inMicroseconds: UInt64 {
        UInt64(clamping: components.seconds * 1_000_000 + components.attoseconds / 1_000_000_000_000)
    }
}
