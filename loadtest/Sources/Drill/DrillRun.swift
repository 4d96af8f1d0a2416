// A drill from its options to its report: rules are changed round by round while all gateways are asked without pause.

import AsyncHTTPClient

/// One run of `block-drill` or `raise-drill`.
package struct DrillRun: Sendable {
    /// Gateways are asked on after the last one has turned, so that one that falls back is seen.
    private static let dwell = Duration.milliseconds(20)
    private static let defaultTimeLimit = Duration.seconds(900)
    /// Between two looks at the books.
    private static let bookInterval = Duration.milliseconds(20)

    private let options: LoadOptions
    private let progress: LoadProgress

    package init(_ options: LoadOptions, progress: LoadProgress = .none) {
        self.options = options
        self.progress = progress
    }

    /// Makes all rounds, and takes back what it has changed. Writes the JSON report where the options say.
    ///
    /// - Throws: ``LoadError``, ``LoadError/Code/drill`` when the gateways are not in the state to begin with;
    ///   `CancellationError`.
    package func run() async throws -> DrillReport {
        let options = try options.validated()
        let key = try KeyFile.read(options.keyFile)
        let client = HTTPCaller.client(connections: 1, timeout: options.requestTimeout)
        let report: DrillReport
        do {
            report = try await measure(options, key: key, client: client)
        } catch {
            try? await client.shutdown()
            throw error
        }
        try await client.shutdown()
        if let path = options.jsonPath { try ReportFile.write(report, to: path) }
        return report
    }

    private func measure(_ options: LoadOptions, key: String, client: HTTPClient) async throws -> DrillReport {
        func caller(_ bearer: String) -> HTTPCaller {
            HTTPCaller(
                client: client, bearer: bearer, organisation: options.organisation, timeout: options.requestTimeout)
        }
        let console = DrillConsole(
            client: ConsoleClient(url: options.console ?? "", caller: caller(options.consoleToken ?? "")))
        let parent = options.accounts[0]
        let isRaise = options.scenario == .raiseDrill
        let account = isRaise ? "drill-" + String(UInt64.random(in: 0 ... .max), radix: 36) : parent
        let drill = Drill(
            options: options, account: account, console: console, gateway: caller(key), board: ProbeBoard(),
            limit: .now + (options.timeLimit ?? Self.defaultTimeLimit), progress: progress)
        let figures: DrillFigures
        do {
            if isRaise { try await console.make(account, below: parent, tokens: options.raiseTokens) }
            figures = try await drill.run()
        } catch {
            // The first error is the one to tell.
            try? await Self.tidy(account, isRaise: isRaise, console)
            throw error
        }
        try await Self.tidy(account, isRaise: isRaise, console)
        return figures.report(options, board: drill.board)
    }

    private static func tidy(_ account: String, isRaise: Bool, _ console: DrillConsole) async throws {
        // In a task of its own: a cancelled drill must not leave an account blocked.
        try await Task {
            if isRaise { try await console.remove(account) } else { try await console.unblock(account) }
        }.value
    }

    /// The rounds, with what they need.
    private struct Drill: Sendable {
        let options: LoadOptions
        let account: String
        let console: DrillConsole
        let gateway: HTTPCaller
        let board: ProbeBoard
        let limit: ContinuousClock.Instant
        let progress: LoadProgress
        private let clock = ContinuousClock()

        func run() async throws -> DrillFigures {
            try await withThrowingTaskGroup(of: Void.self) { group in
                defer { group.cancelAll() }
                for (index, url) in options.gateways.enumerated() {
                    let prober = Prober(
                        gateway: index, url: url, account: account, caller: gateway, board: board,
                        pause: options.probePause)
                    group.addTask { await prober.run() }
                }
                return try await options.scenario == .raiseDrill ? raises() : blocks()
            }
        }

        private func blocks() async throws -> DrillFigures {
            var figures = DrillFigures()
            try await ready(.admitted)
            for round in 1...options.rounds {
                guard isInTime(round, &figures) else { break }
                let block = try await turn(from: .admitted, to: .blocked) { try await console.block(account) }
                guard let stopped = finding(block, round, &figures) else { break }
                let lift = try await turn(from: .blocked, to: .admitted) { try await console.unblock(account) }
                guard let started = finding(lift, round, &figures) else { break }
                figures.add(block: stopped, unblock: started, console: block.console)
                progress.show(round: round, of: options.rounds, last: "\(stopped.last.inMicroseconds) us")
            }
            return figures
        }

        private func raises() async throws -> DrillFigures {
            var figures = DrillFigures()
            try await ready(.admitted)
            for round in 1...options.rounds {
                guard isInTime(round, &figures) else { break }
                try await useUp()
                let raise = try await turn(from: .exhausted, to: .admitted) {
                    try await console.raise(account, tokens: options.raiseTokens)
                }
                guard let started = finding(raise, round, &figures) else { break }
                figures.add(raise: started, console: raise.console)
                progress.show(round: round, of: options.rounds, last: "\(started.last.inMicroseconds) us")
            }
            return figures
        }

        /// Charges what the last raise gave and waits until nobody holds or admits anything any more.
        private func useUp() async throws {
            let url = options.gateways[0] + "/v1/usage"
            let body = "{\"account\":\"\(account)\",\"tokens\":\(options.raiseTokens)}"
            let answer: HTTPAnswer
            do {
                answer = try await gateway.post(url, body: body)
            } catch {
                throw LoadError(.drill, "\(options.gateways[0]) gave no answer to a charge", cause: error)
            }
            guard answer.status == 200 || answer.status == 202 else {
                throw LoadError(.drill, "\(options.gateways[0]) answered \(answer.status) to a charge")
            }
            let deadline = clock.now + options.roundTimeout
            while try await !console.isUsedUp(account) {
                guard clock.now < deadline else {
                    throw LoadError(.drill, "the books of \(account) still show money after it was charged")
                }
                try await clock.sleep(for: DrillRun.bookInterval)
            }
            try await ready(.exhausted)
        }

        /// Waits until all gateways answer like this.
        private func ready(_ answer: ProbeAnswer) async throws {
            let turn = try await turn(from: .other(""), to: answer) {}
            guard turn.turn.isOver else {
                let names = turn.turn.waiting.map { options.gateways[$0] }.joined(separator: ", ")
                throw LoadError(.drill, "not \(answer) for \(account): \(names); other answers: \(board.others)")
            }
        }

        private struct Outcome {
            var turn: Turn
            var answered: ContinuousClock.Instant
            /// How long the change took.
            var console: Duration
        }

        /// Makes one change and waits until every gateway follows it, or the round's time is over.
        private func turn(
            from old: ProbeAnswer, to expected: ProbeAnswer, by change: () async throws -> Void
        ) async throws -> Outcome {
            let begin = clock.now
            let turn = Turn(from: old, to: expected, gateways: options.gateways.count, begin: begin)
            let over = board.begin(turn)
            try await change()
            let answered = clock.now
            await withTaskGroup(of: Void.self) { group in
                group.addTask { for await _ in over {} }
                let timeout = options.roundTimeout
                group.addTask { try? await Task.sleep(for: timeout) }
                await group.next()
                group.cancelAll()
            }
            try await clock.sleep(for: DrillRun.dwell)
            return Outcome(turn: board.end() ?? turn, answered: answered, console: answered - begin)
        }

        private func finding(_ outcome: Outcome, _ round: Int, _ figures: inout DrillFigures) -> Turn.Figures? {
            if let found = outcome.turn.figures(answered: outcome.answered) { return found }
            let names = outcome.turn.waiting.map { options.gateways[$0] }.joined(separator: ", ")
            figures.broken.append(
                "round \(round): not \(outcome.turn.expected) after \(options.roundTimeout): \(names)")
            return nil
        }

        private func isInTime(_ round: Int, _ figures: inout DrillFigures) -> Bool {
            if clock.now < limit { return true }
            figures.broken.append("the time limit stopped the drill after \(round - 1) of \(options.rounds) rounds")
            return false
        }
    }
}
