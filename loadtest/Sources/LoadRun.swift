// A run from its options to its report: the order of the steps, and which of them last while requests are sent.

import AsyncHTTPClient

/// One run of the load generator.
package struct LoadRun: Sendable {
    private let options: LoadOptions
    private let progress: LoadProgress

    package init(_ options: LoadOptions, progress: LoadProgress = .none) {
        self.options = options
        self.progress = progress
    }

    /// Sends the whole load, waits for the books to settle and compares. Writes the JSON report where the options say.
    ///
    /// Broken guarantees are in the report; the run fails only when it can't be made.
    ///
    /// - Throws: ``LoadError``; `CancellationError` when the task is cancelled, open reservations then expire.
    package func run() async throws -> LoadReport {
        let options = try options.validated()
        let key = try KeyFile.read(options.keyFile)
        let plan = try Plan(options)
        let client = HTTPCaller.client(connections: options.connections, timeout: options.requestTimeout)
        let report: LoadReport
        do {
            report = try await measure(plan, options, key: key, client: client)
        } catch {
            try? await client.shutdown()
            throw error
        }
        try await client.shutdown()
        if let path = options.jsonPath { try ReportFile.write(report, to: path) }
        return report
    }

    private func measure(
        _ plan: Plan, _ options: LoadOptions, key: String, client: HTTPClient
    ) async throws -> LoadReport {
        let caller = HTTPCaller(
            client: client, bearer: key, organisation: options.organisation, timeout: options.requestTimeout)
        let gateways = options.gateways.map { GatewayClient(url: $0, caller: caller, options: options) }
        var watch: BookWatch?
        if let url = options.console {
            let caller = HTTPCaller(
                client: client, bearer: options.consoleToken ?? "", organisation: options.organisation,
                timeout: options.requestTimeout)
            watch = try await BookWatch(
                console: ConsoleClient(url: url, caller: caller), accounts: options.accounts)
        }
        let redis = options.redis.map { RedisCommandCount(url: $0) }
        let before = try await watch?.read() ?? []
        let commandsBefore = try await redis?.read()

        let clock = ContinuousClock()
        let board = Scoreboard(accounts: options.accounts.count)
        let start = clock.now
        let isComplete = try await withThrowingTaskGroup(of: Void.self) { group in
            defer { group.cancelAll() }
            let progress = progress
            group.addTask { await progress.run(total: plan.count) { board.counts } }
            if let watch { group.addTask { await watch.run(every: options.watchInterval) } }
            let conversation = Conversation(
                gateways: gateways, attempts: options.commitAttempts, board: board, start: start)
            return try await send(plan, options, conversation: conversation)
        }
        let elapsed = clock.now - start
        let commandsAfter = try await redis?.read()
        let after = try await watch?.settled(timeout: options.settleTimeout, stable: options.settleStable) ?? []

        return Summary(
            options: options, planned: plan.count, isComplete: isComplete, elapsed: elapsed, state: board.snapshot,
            commands: commandsBefore.flatMap { before in commandsAfter.map { $0 - before } },
            chains: watch?.chains ?? [], before: before, after: after, watch: watch?.found
        ).report()
    }

    /// The open loop: every request leaves at its time, whatever became of those before it.
    ///
    /// - Returns: false when the time limit stopped it.
    private func send(_ plan: Plan, _ options: LoadOptions, conversation: Conversation) async throws -> Bool {
        let clock = ContinuousClock()
        let board = conversation.board
        let limit = conversation.start.advanced(by: options.timeLimit ?? plan.length + .seconds(60))
        return try await withThrowingTaskGroup(of: Void.self) { group in
            var plan = plan
            var children = 0
            while let arrival = try plan.next() {
                let due = conversation.start.advanced(by: arrival.offset)
                if max(due, clock.now) > limit {
                    try await group.waitForAll()
                    return false
                }
                if clock.now < due { try await clock.sleep(until: due) }
                var isLate = false
                if children >= options.maxInFlight {
                    // Children that have ended are only now collected; late is who really has to wait.
                    isLate = board.counts.inFlight >= options.maxInFlight
                    try await group.next()
                    children -= 1
                }
                children += 1
                board.began(late: isLate)
                group.addTask {
                    await conversation.run(arrival, due: due)
                    board.ended()
                }
            }
            try await group.waitForAll()
            return true
        }
    }
}
