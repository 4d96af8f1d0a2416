// Finds the primary of a service through its Sentinels, and hears from them when it changes.

import Logging
import NIOCore
import Synchronization

final class Sentinels: Sendable {
    typealias Endpoint = RedisConfiguration.Endpoint

    private let configuration: RedisConfiguration
    private let service: String
    private let eventLoop: any EventLoop
    /// The one that answered last is first.
    private let order: Mutex<[Endpoint]>

    init(_ configuration: RedisConfiguration, service: String, eventLoop: any EventLoop) {
        self.configuration = configuration
        self.service = service
        self.eventLoop = eventLoop
        order = Mutex(configuration.endpoints)
    }

    /// Asks the Sentinels in turn and connects to the first server that they name and that says itself that it is a
    /// primary: a Sentinel that was cut off may name one of yesterday.
    ///
    /// Throws ``RedisError/Code/notConnected`` with the last reason.
    func connectPrimary(
        _ makeHandler: @escaping @Sendable () -> any ChannelHandler
    ) async throws(RedisError) -> (channel: any Channel, server: Endpoint) {
        var last: RedisError?
        var tried: [Endpoint] = []
        for sentinel in order.withLock({ $0 }) {
            do throws(RedisError) {
                let server = try await primary(by: sentinel)
                guard !tried.contains(server) else { continue }
                tried.append(server)
                let connector = Connector(
                    configuration: configuration.at(server), eventLoop: eventLoop, primaryOnly: true)
                let channel = try await connector.connect(makeHandler)
                prefer(sentinel)
                return (channel, server)
            } catch {
                last = error
            }
        }
        throw RedisError(.notConnected, "no Sentinel leads to a primary of \(service)", cause: last)
    }

    /// The primary by what this Sentinel knows.
    func primary(by sentinel: Endpoint) async throws(RedisError) -> Endpoint {
        let connector = Connector(configuration: configuration.sentinel(at: sentinel), eventLoop: eventLoop)
        let reply = try await Inquiry.ask(["SENTINEL", "GET-MASTER-ADDR-BY-NAME", service], connector)
        guard let address = reply.array, let server = Self.endpoint(address.map { $0.string ?? "" }) else {
            throw RedisError(.notConnected, "Sentinel \(sentinel) does not know the service \(service)")
        }
        return server
    }

    /// Calls `onPrimary` with what the Sentinels announce, until the task is cancelled. Whenever the connection to them
    /// is new, the primary is asked for: its change may have been missed.
    func watch(logger: Logger, _ onPrimary: @escaping @Sendable (Endpoint) -> Void) async {
        let (pushes, output) = AsyncStream.makeStream(of: RedisPush.self, bufferingPolicy: .bufferingNewest(64))
        let subscription = Subscription(
            channels: ["+switch-master"], heartbeat: configuration.stallTimeout, output: output)
        var logger = logger
        logger[metadataKey: "connection"] = "sentinel"
        await withTaskGroup(of: Void.self) { [logger] group in
            group.addTask {
                await subscription.run(self.configuration, logger: logger) { makeHandler throws(RedisError) in
                    try await self.connectSentinel(makeHandler)
                }
            }
            for await push in pushes {
                switch push {
                case .subscribed:
                    guard let sentinel = subscription.server,
                        let server = try? await self.primary(by: sentinel)
                    else { continue }
                    onPrimary(server)
                case .message(_, let payload):
                    // service, old host, old port, new host, new port
                    let words = payload.split(separator: " ").map(String.init)
                    guard words.count == 5, words[0] == self.service, let server = Self.endpoint(Array(words[3...]))
                    else { continue }
                    onPrimary(server)
                }
            }
            group.cancelAll()
        }
    }

    private func connectSentinel(
        _ makeHandler: @escaping @Sendable () -> any ChannelHandler
    ) async throws(RedisError) -> (channel: any Channel, server: Endpoint) {
        var last: RedisError?
        for sentinel in order.withLock({ $0 }) {
            do throws(RedisError) {
                let connector = Connector(configuration: configuration.sentinel(at: sentinel), eventLoop: eventLoop)
                return (try await connector.connect(makeHandler), sentinel)
            } catch {
                last = error
            }
        }
        throw RedisError(.notConnected, "no Sentinel of \(service) can be reached", cause: last)
    }

    private func prefer(_ sentinel: Endpoint) {
        order.withLock { order in
            guard let index = order.firstIndex(of: sentinel) else { return }
            order.insert(order.remove(at: index), at: 0)
        }
    }

    private static func endpoint(_ words: [String]) -> Endpoint? {
        guard words.count == 2, !words[0].isEmpty, let port = Int(words[1]), (1...65535).contains(port) else {
            return nil
        }
        return .tcp(host: words[0], port: port)
    }
}
