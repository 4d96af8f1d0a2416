// Who owns which slot: a cluster node's answer to CLUSTER SLOTS, and corrections by MOVED.

/// The primaries of a cluster and their slots.
struct SlotTable: Sendable, Equatable {
    typealias Endpoint = RedisConfiguration.Endpoint

    /// Redis' own advice is at most 1000 nodes.
    static let maxPrimaries = 1024

    private(set) var primaries: [Endpoint] = []
    /// For each slot the index of its owner, -1 for none.
    private var owners = [Int16](repeating: -1, count: HashSlot.all.count)

    /// Nothing is known.
    init() {}

    /// Reads an answer to CLUSTER SLOTS: rows of first slot, last slot, primary (host, port, ...), replicas. A missing
    /// host stands for that of the node that answered. Nil when it is no such answer, or no slot has an owner.
    init?(_ reply: RESPValue, from asked: Endpoint) {
        guard let rows = reply.array, !rows.isEmpty, rows.count <= HashSlot.all.count else { return nil }
        for row in rows {
            guard let row = row.array, row.count >= 3, let first = row[0].int, let last = row[1].int,
                first >= 0, first <= last, last < HashSlot.all.count, let primary = row[2].array, primary.count >= 2,
                let port = primary[1].int, (1...65535).contains(port)
            else { return nil }
            var host = primary[0].string ?? ""
            if host.isEmpty, case .tcp(let name, _) = asked { host = name }
            // The cluster does not know the address of that node.
            guard !host.isEmpty, host != "?" else { continue }
            for slot in Int(first)...Int(last) { assign(slot, to: .tcp(host: host, port: Int(port))) }
        }
        guard !primaries.isEmpty else { return nil }
    }

    func owner(of slot: Int) -> Endpoint? {
        owners[slot] < 0 ? nil : primaries[Int(owners[slot])]
    }

    /// A node has said that the slot moved. What owns no slot any more stays known until the next whole answer.
    mutating func assign(_ slot: Int, to endpoint: Endpoint) {
        if let index = primaries.firstIndex(of: endpoint) {
            owners[slot] = Int16(index)
        } else if primaries.count < Self.maxPrimaries {
            owners[slot] = Int16(primaries.count)
            primaries.append(endpoint)
        }
    }
}
