// One stage: an installation of its own under a steady load, one kind of fault injected again and again, and after each
// the books compared with what the clients know.

import AsyncHTTPClient
import ProcessSupport
import TestSupport

struct Stage: Sendable {
    let fault: Fault
    let options: ChaosOptions
    let client: HTTPClient
    let onProgress: @Sendable (String) -> Void

    /// Runs all rounds. What goes wrong is in the result; only a cancellation throws.
    func run() async throws -> StageResult {
        var result = StageResult(fault: fault.name)
        let record = ClientRecord()
        do {
            let stack = try await Stack.start(fault.store, gateways: options.gateways)
            do {
                try await run(stack, record, &result)
            } catch {
                await stack.end(keepingLogs: !(error is CancellationError))
                throw error
            }
            if !result.isRight { result.complaints.append("logs and books are in \(stack.folder)") }
            await stack.end(keepingLogs: !result.isRight)
        } catch {
            try Task.checkCancellation()
            result.complaints.append("\(error)")
        }
        return result
    }

    private func run(_ stack: Stack, _ record: ClientRecord, _ result: inout StageResult) async throws {
        var chance = SplitMix(seed: options.seed &+ Self.number(of: fault.name))
        let auditor = Auditor(stack, record)
        let load = Load(stack, record, client: client)
        let seed = chance.next()
        let background = Task {
            await withTaskGroup { group in
                group.addTask { await load.run(clients: options.clients, seed: seed) }
                group.addTask { await auditor.watch() }
            }
        }
        defer {
            background.cancel()
            result.counts = record.counts
            result.doubt = auditor.doubt
            result.longestGap = record.longestGap
            result.complaints += result.finding.broken + auditor.broken
            let surprises = record.surprises
            if surprises.count > 0 {
                result.complaints.append("\(surprises.count) unexpected answers, such as")
                result.complaints += surprises.examples
            }
        }
        for round in 1...options.rounds {
            let before = record.counts
            let tight = "tight-\(round)"
            try await stack.addTightAccount(tight, amount: Int64.random(in: 2000...6000, using: &chance))
            auditor.add(tight: tight)
            load.open(tight: tight)
            try await Task.sleep(for: .milliseconds(Int.random(in: 700...1500, using: &chance)))
            let deed = try await fault.inject(stack, record, &chance)
            result.injected += 1
            try await Task.sleep(for: .milliseconds(1500))
            try await load.close()
            let (finding, settled) = try await auditor.check()
            result.finding.merge(finding)
            let decisions = record.counts.decisions - before.decisions
            let verdict = finding.broken.isEmpty ? "" : " BROKEN: \(finding.broken.joined(separator: "; "))"
            onProgress(
                "\(fault.name) \(round)/\(options.rounds): \(deed); \(decisions) decisions, settled after "
                    + "\(settled.milliseconds) ms\(verdict)")
        }
        try await finish(stack, auditor, &result)
    }

    /// All gateways say goodbye; then nothing may be held any more.
    private func finish(_ stack: Stack, _ auditor: Auditor, _ result: inout StageResult) async throws {
        let codes = await withTaskGroup { group in
            for gateway in stack.gateways { group.addTask { (gateway.name, await gateway.stop()) } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        for (name, code) in codes where code != 0 {
            result.complaints.append("\(name) ended with exit code \(code)")
        }
        result.finding.merge(try await auditor.check(isOver: true).finding)
    }

    /// The same in every run: FNV-1a of the name.
    private static func number(of name: String) -> UInt64 {
        name.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }
}
