// A relay between nodes of one process: what GatewayHTTP does over HTTP.

import Synchronization

@testable import GatewayNode

final class NodeBox: Sendable {
    let nodes = Mutex<[GatewayNode]>([])
}

struct DirectRelay: CommitRelay {
    let nodes: NodeBox

    func relay(_ message: RelayMessage, to address: String, credential: String) async -> SettlementOutcome? {
        let node = nodes.nodes.withLock { list in
            list.first { $0.configuration.advertise == address }
        }
        return await node?.receiveRelay(message, credential: credential)
    }
}
