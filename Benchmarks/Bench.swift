// Runs the microbenchmarks and prints one line each: nanoseconds per operation, best and median of the rounds.

import QuotaCore

@main
enum Bench {
    static func main() {
        let session = LoadedSession()
        measure("reserve+commit, 3 budgets, 2 units, 1 thread", rounds: 15, count: 200_000) { count in
            for index in 0..<count {
                precondition(session.pair(Int64(index)), "the benchmark must admit")
            }
        }
        measure(
            "reserve+commit with 100,000 open reservations", rounds: 15, count: 200_000,
            prepare: {
                let hold = ChainHold(chain: session.chain, amounts: Amounts(tokens: 10, usd: 10, requests: 1))
                for _ in 0..<100_000 {
                    precondition(session.table.admit(hold, expiresAt: 1 << 50, model: nil) != nil, "must admit")
                }
            }
        ) { count in
            for index in 0..<count {
                precondition(session.pair(Int64(index)), "the benchmark must admit")
            }
        }
    }

    static func measure(
        _ name: String, rounds: Int, count: Int, prepare: () -> Void = {}, _ body: (Int) -> Void
    ) {
        prepare()
        body(count / 10)
        var times: [Double] = []
        let clock = ContinuousClock()
        for _ in 0..<rounds {
            let elapsed = clock.measure { body(count) }
            let (seconds, attoseconds) = elapsed.components
            times.append((Double(seconds) * 1e9 + Double(attoseconds) / 1e9) / Double(count))
        }
        times.sort()
        print("\(name): best \(Int(times[0])) ns, median \(Int(times[times.count / 2])) ns")
    }
}
