// Where the books of a stage are: one Redis, one behind Sentinels, or a cluster.

import ProcessSupport

protocol Store: Sendable {
    /// As clients name it that find the servers without a link between.
    var url: String { get }
    /// The server that links lead to; nil where clients find servers by themselves.
    var linkedPort: Int? { get }
    /// All that was started, ended at once.
    func end() async
}

/// How a stage's Redis is arranged.
enum StoreKind: Sendable, Hashable {
    case single(fsync: String)
    /// A small disk of its own for the append-only file.
    case smallDisk(fsync: String)
    case sentinel
    case cluster

    func start(in folder: String) async throws -> any Store {
        switch self {
        case .single(let fsync): try await SingleStore.start(folder, fsync: fsync, disk: nil)
        case .smallDisk(let fsync):
            try await SingleStore.start(folder, fsync: fsync, disk: try await SmallDisk.make(folder))
        case .sentinel: try await SentinelStore.start(folder)
        case .cluster: try await ClusterStore.start(folder)
        }
    }
}
