// A disk that a fault can fill. For root it is a small file system in memory, mounted where only the server sees it: the
// mount belongs to a process of ours and goes with it. For anyone else the largest size of a file is limited instead.

import BursarCommands
import Foundation
import ProcessSupport

final class SmallDisk: Sendable {
    private enum Means {
        /// Holds the mount namespace.
        case mount(ChildProcess)
        case fileSize
    }

    private static let megabytes = 64

    /// As the server sees it.
    let folder: String
    /// As this process sees it.
    let outsideFolder: String
    /// What starts the server so that it sees the disk.
    let wrapper: [String]
    private let means: Means

    private init(_ folder: String, outside: String, wrapper: [String], _ means: Means) {
        (self.folder, outsideFolder, self.wrapper, self.means) = (folder, outside, wrapper, means)
    }

    /// - Throws: ``ChaosFailure`` where neither a mount nor a limit is possible.
    static func make(_ parent: String) async throws -> SmallDisk {
        let folder = parent + "/disk"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        if geteuid() == 0, let disk = try await mounted(folder) { return disk }
        guard try await Program.run(["prlimit", "--version"], executable: "/usr/bin/env").code == 0 else {
            throw ChaosFailure("a full disk needs root with the right to mount, or prlimit (util-linux)")
        }
        // A write beyond the limit must fail as on a full disk, not end the server.
        return SmallDisk(
            folder, outside: folder, wrapper: ["sh", "-c", #"trap '' XFSZ; exec "$@""#, "sh"], .fileSize)
    }

    /// Nil where this root may not mount.
    private static func mounted(_ folder: String) async throws -> SmallDisk? {
        let script = #"mount -t tmpfs -o size=\#(megabytes)m none "$1" && echo mounted && cat >/dev/null"#
        let holder = try Program.start(
            "/usr/bin/env", ["unshare", "-m", "--propagation", "private", "sh", "-c", script, "sh", folder],
            errors: "/dev/null", environment: Program.environment())
        guard await holder.lines.first(where: { _ in true }) == "mounted" else {
            holder.kill()
            return nil
        }
        return SmallDisk(
            folder, outside: "/proc/\(holder.pid)/root\(folder)",
            wrapper: ["nsenter", "-m", "-t", "\(holder.pid)"], .mount(holder))
    }

    /// From now on nothing more fits.
    func fill(_ redis: RedisProcess) async throws {
        switch means {
        case .mount:
            _ = try await Program.run(
                ["dd", "if=/dev/zero", "of=\(outsideFolder)/filler", "bs=4k"], executable: "/usr/bin/env")
        case .fileSize: try await limit(redis, to: try largestFile() + 1)
        }
    }

    func free(_ redis: RedisProcess) async throws {
        switch means {
        case .mount: try FileManager.default.removeItem(atPath: "\(outsideFolder)/filler")
        case .fileSize: if redis.isRunning { try await limit(redis, to: nil) }
        }
    }

    func end() { if case .mount(let holder) = means { holder.kill() } }

    private func largestFile() throws -> UInt64 {
        let folder = folder + "/appendonlydir"
        return try FileManager.default.contentsOfDirectory(atPath: folder).map { name in
            try FileManager.default.attributesOfItem(atPath: "\(folder)/\(name)")[.size] as? UInt64 ?? 0
        }.max() ?? 0
    }

    private func limit(_ redis: RedisProcess, to bytes: UInt64?) async throws {
        guard let pid = redis.pid else { return }
        let size = bytes.map { "\($0)" } ?? "unlimited"
        let result = try await Program.run(
            ["prlimit", "--pid", "\(pid)", "--fsize=\(size):"], executable: "/usr/bin/env")
        guard result.code == 0 else { throw ChaosFailure("prlimit: \(result)") }
    }
}
