// One gateway's place: an address and a node id that stay, and the lives of the processes that fill it.

import BursarCommands
import Foundation
import ProcessSupport
import TestSupport
import Synchronization

final class GatewayPlace: Sendable {
    private struct State {
        var server: ServerChild?
        var life = 0
    }

    let name: String
    let url: String
    /// Between it and Redis; nil where it finds the servers by itself.
    let link: FaultProxy?
    private let arguments: [String]
    private let folder: String
    private let state = Mutex(State())

    init(name: String, store: any Store, folder: String) async throws {
        self.name = name
        self.folder = folder
        var redis = store.url
        if let port = store.linkedPort {
            let link = try await FaultProxy.start(to: port)
            self.link = link
            redis = "redis://127.0.0.1:\(link.port)"
        } else {
            link = nil
        }
        let address = "127.0.0.1:\(try LoopbackPort.free())"
        url = "http://\(address)"
        arguments = [
            "gateway", "--node-id", name, "--drain-delay", "0s", "--redis", redis, "--listen", address,
        ]
    }

    /// Which life its process is in, from 1; it is over as soon as ``kill(_:)`` is called.
    var life: Int { state.withLock { $0.life } }
    var log: String { state.withLock { $0.server?.logText } ?? "" }

    func start() async throws {
        let life = state.withLock { state in
            if state.life == 0 { state.life = 1 }
            return state.life
        }
        let server = try await ServerChild.start(
            name, arguments, log: "\(folder)/\(name)-\(life).log",
            environment: ["BURSAR_ADMIN_TOKEN": Installation.adminToken])
        state.withLock { $0.server = server }
    }

    /// kill -9.
    ///
    /// - Parameter before: called with the life that ends, before it does.
    func kill(_ before: (Int) -> Void) async {
        let server = state.withLock { state in
            before(state.life)
            state.life += 1
            return state.server.take()
        }
        await server?.kill()
    }

    func pause() { state.withLock { $0.server }?.pause() }
    func resume() { state.withLock { $0.server }?.resume() }

    /// SIGTERM: every slice goes back.
    ///
    /// - Returns: the exit code.
    func stop() async -> Int32 {
        guard let server = state.withLock({ $0.server.take() }) else { return 0 }
        return await server.stop()
    }

    /// At once, for an end that may come at any time.
    func end() {
        state.withLock { $0.server.take() }?.process.kill()
        link?.stop()
    }
}
