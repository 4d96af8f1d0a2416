// Links between gateways and Redis: cut, silent in one direction, slow. Of one gateway, of some, of all.

import ProcessSupport
import TestSupport

extension Fault {
    static let links = [
        link("cut", "cut") { link, _ in link.cut() },
        link("silent-requests", "lost all requests of") { link, _ in link.hold([.toServer]) },
        link("silent-answers", "lost all answers to") { link, _ in link.hold([.toClient]) },
        link("slow-link", "slowed the links of") { link, chance in
            link.delay(.milliseconds(Int.random(in: 20...400, using: &chance)))
        },
    ]

    private static func link(
        _ name: String, _ word: String, _ fault: @escaping @Sendable (FaultProxy, inout SplitMix) -> Void
    ) -> Fault {
        Fault(name: name, store: .single(fsync: "everysec")) { stack, _, chance in
            let count = Int.random(in: 1...stack.gateways.count, using: &chance)
            let chosen = stack.gateways.shuffled(using: &chance).prefix(count)
            for gateway in chosen { if let link = gateway.link { fault(link, &chance) } }
            defer { for gateway in chosen { gateway.link?.heal() } }
            let time = try await pause(800...5000, using: &chance)
            return "\(word) \(chosen.map(\.name).sorted().joined(separator: ", ")) for \(time)"
        }
    }
}
