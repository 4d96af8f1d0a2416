// The executable of `make chaos`: real processes, real faults, a table, and an exit code that says whether all held.

import ArgumentParser
import Chaos
import Glibc
import UnixSignals

@main
struct ChaosCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bursar-chaos",
        abstract: "Injects faults into whole installations and compares the books with what clients were told.",
        discussion: "Exit code 1: a guarantee broke. See docs/chaos.md.")

    @Option(help: "Names of faults, with commas between; empty: all.")
    var faults = ""

    @Option(help: "How often each fault is injected.")
    var rounds = 2

    @Option(help: "Gateways of each installation, at least 2.")
    var gateways = 3

    @Option(help: "Clients that reserve and commit.")
    var clients = 16

    @Option(help: "Of all random choices (default: a random one, which is printed).")
    var seed: UInt64?

    func validate() throws {
        guard (1...1000).contains(rounds), (2...16).contains(gateways), (1...256).contains(clients) else {
            throw ValidationError("--rounds is from 1 to 1000, --gateways from 2 to 16, --clients from 1 to 256")
        }
    }

    func run() async throws {
        let seed = seed ?? .random(in: 0...9_999_999)
        let names = faults.split(separator: ",").map(String.init)
        let options = ChaosOptions(
            faults: try Fault.named(names), rounds: rounds, gateways: gateways, clients: clients, seed: seed)
        Self.say("seed \(seed): \(options.faults.count) faults, \(rounds) times each, \(gateways) gateways")
        let start = ContinuousClock.now
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
        let results = try await withThrowingTaskGroup(of: [StageResult]?.self) { group in
            group.addTask {
                try await ChaosRun.run(options) {
                    Self.say("[\((ContinuousClock.now - start).components.seconds) s] \($0)")
                }
            }
            group.addTask {
                for await _ in signals { return nil }
                return nil
            }
            defer { group.cancelAll() }
            return try await group.next() ?? nil
        }
        guard let results else { throw ExitCode(130) }
        Self.say("\n" + ResultTable.text(results))
        if results.contains(where: { !$0.isRight }) { throw ExitCode(1) }
    }

    private static func say(_ line: String) {
        print(line)
        fflush(nil)
    }
}
