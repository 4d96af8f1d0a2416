// Requests of made-up departments, so that books move while one looks.

import Foundation

/// Reserves and commits through all gateways in turn until it is cancelled.
struct DemoTraffic: Sendable {
    let gateways: [ConsoleClient]
    /// Requests a second.
    let rate: Double

    func run() async {
        let interval = Duration.seconds(1) / max(0.1, min(rate, 1000))
        await withDiscardingTaskGroup { group in
            var number = 0
            while !Task.isCancelled {
                let turn = number
                group.addTask { await self.request(turn) }
                number += 1
                try? await Task.sleep(for: interval)
            }
        }
    }

    private func request(_ turn: Int) async {
        let account = DemoOrganisation.spenders.randomElement() ?? DemoOrganisation.spenders[0]
        let model = ["gpt-4o-mini", "gpt-4o-mini", "gpt-4o", "fast"].randomElement() ?? "fast"
        let input = Int.random(in: 100...4000)
        let output = Int.random(in: 50...1500)
        let body = JSONValue.object([
            "account": .string(account), "model": .string(model), "principal": .string("demo@example.com"),
            "estimate": Self.usage(input, output * 5 / 4),
        ])
        // Refusals are part of the show; who looks sees them in the books.
        guard let held = try? await gateways[turn % gateways.count].send(.post, "/v1/reservations", body),
            let id = held["id"]?.text
        else { return }
        try? await Task.sleep(for: .milliseconds(output))
        // Any gateway takes the commit.
        let other = gateways[(turn + Int.random(in: 0...1)) % gateways.count]
        _ = try? await other.send(
            .post, "/v1/reservations/\(id)/commit", .object(["usage": Self.usage(input, output)]))
    }

    private static func usage(_ input: Int, _ output: Int) -> JSONValue {
        .object(["input_tokens": .number(Decimal(input)), "output_tokens": .number(Decimal(output))])
    }
}
