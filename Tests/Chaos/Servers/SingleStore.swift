// One Redis with its append-only file, and what a crash of its machine would have cut off.

import Foundation
import ProcessSupport
import TestSupport
import Synchronization

final class SingleStore: Store {
    let redis: RedisProcess
    let disk: SmallDisk?
    private let appendOnlyFolder: String
    /// Sizes of the append-only file, the newest last.
    private let sizes = Mutex<[(at: ContinuousClock.Instant, bytes: UInt64)]>([])
    private let watch = Mutex<Task<Void, Never>?>(nil)

    var url: String { "redis://127.0.0.1:\(redis.port)" }
    var linkedPort: Int? { redis.port }

    static func start(_ folder: String, fsync: String, disk: SmallDisk?) async throws -> SingleStore {
        let store = SingleStore(try LoopbackPort.free(), folder, fsync: fsync, disk: disk)
        do {
            try await store.redis.start()
        } catch {
            await store.end()
            throw error
        }
        store.watch.withLock { $0 = Task { await store.watchSize() } }
        return store
    }

    private init(_ port: Int, _ folder: String, fsync: String, disk: SmallDisk?) {
        let home = disk?.folder ?? folder
        redis = RedisProcess(
            port: port, folder: home, wrapper: disk?.wrapper ?? [],
            arguments: RedisProcess.anyClient + [
                "--appendonly", "yes", "--appendfsync", fsync, "--auto-aof-rewrite-percentage", "0",
            ])
        self.disk = disk
        appendOnlyFolder = (disk?.outsideFolder ?? home) + "/appendonlydir"
    }

    func end() async {
        watch.withLock { $0?.cancel() }
        redis.end()
        disk?.end()
    }

    // MARK: A crash

    /// kill -9. What Redis wrote stays with the system, and so in the file.
    func kill() async throws { try await redis.kill() }

    /// kill -9 of a machine: the file ends where it ended `loss` ago, as if nothing newer had reached the disk.
    ///
    /// - Returns: how many bytes are lost.
    func crash(losing loss: Duration) async throws -> UInt64 {
        let moment = ContinuousClock.now - loss
        try await redis.kill()
        let kept = sizes.withLock { $0.last { $0.at <= moment }?.bytes }
        guard let path = incrementalFile(), let kept else { throw ChaosFailure("no append-only file to cut") }
        let file = try FileHandle(forUpdating: URL(filePath: path))
        let size = try file.seekToEnd()
        try file.truncate(atOffset: min(size, kept))
        try file.close()
        return size - min(size, kept)
    }

    private func watchSize() async {
        while !Task.isCancelled {
            if let path = incrementalFile(),
                let size = try? FileManager.default.attributesOfItem(atPath: path)[.size] as? UInt64
            {
                sizes.withLock { sizes in
                    sizes.append((.now, size))
                    if sizes.count > 400 { sizes.removeFirst(100) }
                }
            }
            try? await Task.sleep(for: .milliseconds(20))
        }
    }

    private func incrementalFile() -> String? {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: appendOnlyFolder)) ?? []
        return names.filter { $0.hasSuffix(".incr.aof") }.max().map { "\(appendOnlyFolder)/\($0)" }
    }
}
