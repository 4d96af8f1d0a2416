// What is asked of whom and when is fixed before the run.

import Testing

@testable import LoadTest

@Suite struct PlanTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func options(_ change: (inout LoadOptions) -> Void = { _ in }) -> LoadOptions {
        var options = LoadOptions(
            gateways: ["http://127.0.0.1:1", "http://127.0.0.1:2"], keyFile: "k", accounts: ["a", "b"])
        options.scenario = .steady
        options.rate = 100
        options.duration = .seconds(4)
        change(&options)
        return options
    }

    private func arrivals(_ options: LoadOptions) throws -> [Arrival] {
        var plan = try Plan(options)
        var arrivals: [Arrival] = []
        while let arrival = try plan.next() { arrivals.append(arrival) }
        #expect(arrivals.count == plan.count)
        return arrivals
    }

    @Test("a steady load is evenly spaced")
    func steady() throws {
        let arrivals = try arrivals(options())
        #expect(arrivals.count == 400)
        #expect(arrivals[0].offset == .zero)
        #expect(arrivals[399].offset == .milliseconds(3990))
    }

    @Test("a replay keeps the recorded gaps, divided by the speed")
    func replay() throws {
        let trace = try folder.file(
            "t.csv",
            "\(TraceReader.header)\n2023-11-16 18:15:46.5,374,44\n2023-11-16 18:15:48.5,10,0\n2023-11-16 18:16:46.5,1,1"
        )
        let arrivals = try arrivals(
            options {
                $0.scenario = .replay
                $0.trace = trace
                $0.speed = 10
                $0.pace = 44
            })
        #expect(arrivals.map(\.offset) == [.zero, .milliseconds(200), .seconds(6)])
        #expect(arrivals.map(\.realTokens) == [418, 10, 2])
        #expect(arrivals.map(\.estimatedOutput) == [55, 0, 2])
        #expect(arrivals[0].thinkTime == .milliseconds(100))
    }

    @Test("in turn, every account meets every gateway equally often", arguments: 1...4, 1...4)
    func roundRobin(accounts: Int, gateways: Int) throws {
        let arrivals = try arrivals(
            options {
                $0.accounts = (0..<accounts).map { "a\($0)" }
                $0.gateways = (0..<gateways).map { "http://127.0.0.1:\($0 + 1)" }
                $0.rate = 144
                $0.duration = .seconds(1)
            })
        var pairs: [[Int]: Int] = [:]
        for arrival in arrivals { pairs[[arrival.account, arrival.gateway], default: 0] += 1 }
        #expect(pairs.count == accounts * gateways)
        #expect(pairs.values.allSatisfy { $0 == 144 / (accounts * gateways) })
    }

    @Test("the same seed plans the same, another seed something else")
    func seeds() throws {
        let first = try arrivals(options { $0.split = .seeded })
        let second = try arrivals(options { $0.split = .seeded })
        let other = try arrivals(
            options {
                $0.split = .seeded
                $0.seed = 2
            })
        #expect(first == second)
        #expect(first != other)
        #expect(Set(first.map(\.account)) == [0, 1])
    }

    @Test("the given share of commits goes to another gateway")
    func elsewhere() throws {
        func share(_ wanted: Double) throws -> Int {
            try arrivals(options { $0.commitElsewhere = wanted }).count { $0.commitGateway != $0.gateway }
        }
        #expect(try share(0) == 0)
        #expect(try share(1) == 400)
        #expect(try (20...60).contains(share(0.1)))
    }

    @Test("an estimate may be fixed")
    func fixedEstimate() throws {
        #expect(try arrivals(options { $0.estimateOutput = 0 }).allSatisfy { $0.estimatedTokens == 500 })
    }

    struct WrongOption: Sendable, CustomStringConvertible {
        var description: String
        var change: @Sendable (inout LoadOptions) -> Void

        init(_ name: String, _ change: @escaping @Sendable (inout LoadOptions) -> Void) {
            description = name
            self.change = change
        }
    }

    static let wrongOptions = [
        WrongOption("--gateways") { $0.gateways = [] }, WrongOption("--gateways") { $0.gateways = ["ftp://x"] },
        WrongOption("--accounts") { $0.accounts = ["A b"] }, WrongOption("--speed") { $0.speed = 0 },
        WrongOption("--rate") { $0.rate = .nan }, WrongOption("--commit-elsewhere") { $0.commitElsewhere = 1.5 },
        WrongOption("--estimate-output") { $0.estimateOutput = -1 },
        WrongOption("--max-in-flight") { $0.maxInFlight = 0 }, WrongOption("--trace") { $0.scenario = .replay },
        WrongOption("--console") { $0.console = "http://127.0.0.1:1" },
        WrongOption("--json") { $0.jsonPath = "/nowhere/at/all" },
    ]

    @Test("an option that can't be used is named", arguments: wrongOptions)
    func refusesOption(wrong: WrongOption) throws {
        let error = #expect(throws: LoadError.self) { try options(wrong.change).validated() }
        #expect(error?.code == .options)
        #expect(error?.message.contains(wrong.description) == true)
        #expect(throws: Never.self) { try options().validated() }
    }
}
