// Gateways that die without a word, and gateways that sleep longer than their session lives.

import TestSupport

extension Fault {
    static let gateways = [
        Fault(name: "kill", store: .single(fsync: "everysec")) { stack, record, chance in
            let number = Int.random(in: stack.gateways.indices, using: &chance)
            let gateway = stack.gateways[number]
            await gateway.kill { record.died(number, life: $0) }
            let time = try await pause(100...2000, using: &chance)
            try await gateway.start()
            return "killed \(gateway.name), started again after \(time)"
        },
        // The time to live is 3 s.
        Fault(name: "pause", store: .single(fsync: "everysec")) { stack, _, chance in
            let gateway = stack.gateways[Int.random(in: stack.gateways.indices, using: &chance)]
            gateway.pause()
            defer { gateway.resume() }
            let time = try await pause(3500...5000, using: &chance)
            return "stopped \(gateway.name) for \(time)"
        },
    ]
}
