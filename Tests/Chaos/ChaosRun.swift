// A whole run: one stage after the other, the table, and whether all guarantees held.

import AsyncHTTPClient
import ProcessSupport

/// How much of it, and from which seed.
package struct ChaosOptions: Sendable {
    package var faults: [Fault]
    /// How often each fault is injected.
    package var rounds: Int
    package var gateways: Int
    package var clients: Int
    package var seed: UInt64

    package init(faults: [Fault], rounds: Int, gateways: Int, clients: Int, seed: UInt64) {
        (self.faults, self.rounds, self.gateways) = (faults, rounds, gateways)
        (self.clients, self.seed) = (clients, seed)
    }
}

package enum ChaosRun {
    /// - Parameter onProgress: takes a line after each injection.
    /// - Returns: one result a fault.
    /// - Throws: when it is cancelled. Nothing that it started is left in either case.
    package static func run(
        _ options: ChaosOptions, onProgress: @escaping @Sendable (String) -> Void
    ) async throws -> [StageResult] {
        defer { endAll() }
        let client = Load.makeClient()
        var results: [StageResult] = []
        do {
            for fault in options.faults {
                results.append(
                    try await Stage(fault: fault, options: options, client: client, onProgress: onProgress).run())
            }
        } catch {
            try? await client.shutdown()
            throw error
        }
        try await client.shutdown()
        return results
    }

    /// Whatever a stage left: processes with the mark that only this run gives to what it starts.
    package static func endAll() { ProcessTable.kill(ProcessTable.marked(ProcessTable.mark)) }
}
