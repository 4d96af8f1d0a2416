// `bursar gateway`: the composition root of a gateway process.

import ArgumentParser
import Foundation
import GatewayHTTP
import GatewayNode
import HTTPSupport
import Logging
import QuotaCore
import RedisClient
import ServiceLifecycle

struct GatewayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gateway", abstract: "Runs a gateway: decides requests from slices in memory.",
        discussion: """
            Prints `listening on URL` once it serves. SIGTERM drains, returns every slice and ends; the second signal \
            ends at once.
            """)

    @OptionGroup var redis: RedisOptions

    @Option(name: .long, help: "HOST:PORT or unix:PATH; port 0 takes a free one.")
    var listen = "127.0.0.1:8080"

    @Option(name: .long, help: "Address of /metrics, /healthz and /readyz without a key; plain HTTP.")
    var adminListen: String?

    @Option(name: .long, help: "This node's name, unique among the nodes (default: made up).")
    var nodeID: String?

    @Option(name: .long, help: "URL at which other gateways reach this one (default: the one it listens on).")
    var advertise: String?

    @Option(name: .long, help: "How long /readyz says no before the listeners close.")
    var drainDelay = TimeSpan(.seconds(5))

    @Option(name: .long, help: "URL shown in refusals, where people ask for more; {account} is put in.")
    var requestIncreaseURL: String?

    @Option(
        name: .long,
        help: "Folder for what only this node knows, so that its next life can tell it after a crash (default: none).",
        completion: .directory)
    var journal: String?

    @OptionGroup(title: "Timings") var timings: TimingOptions
    @OptionGroup var server: ServerOptions

    func run() async throws {
        let name = try nodeName()
        var logger = server.logs.logger("bursar.gateway")
        logger[metadataKey: "node"] = .string(name)
        EventLoopExecutor.install(logger: logger)
        let redisConfiguration = try redis.configuration(clientName: "bursar-gateway-\(name)")
        var configured = try await listenerConfigurations()
        let journal = try openJournal()
        let redis = RedisClient(configuration: redisConfiguration, logger: logger)
        let guardian = try await EvictionGuard.atStart(redisConfiguration, later: redis, logger: logger)

        var settings = GatewayNodeConfiguration(nodeID: name, advertise: try advertised(configured.listener))
        settings.timing = try timings.timing()
        let relay = HTTPCommitRelay(logger: logger)
        let node = GatewayNode(
            configuration: settings, redis: redis, relay: relay, logger: logger, journal: journal)
        configured.settings.metrics = { node.exposition() }
        let listeners = configured
        let gateway = try GatewayServer(listeners, node: node, logger: logger) { door, address in
            switch door {
            case .main: Terminal.line("listening on \(listeners.listener.url(address))")
            case .admin: Terminal.line("admin listening on http://\(address)")
            }
        }
        let process = ServerProcess(
            logger: logger, exitOnStdinClose: server.exitOnStdinClose,
            shutdownTime: drainDelay.duration + .seconds(20))
        let services: [(any Service)?] = [redis, guardian, node, gateway]
        do {
            try await process.run(services.compactMap { $0 })
        } catch {
            await relay.shutdown()
            throw error
        }
        await relay.shutdown()
    }

    private func listenerConfigurations() async throws -> GatewayServerConfiguration {
        var main = try server.listener(listen)
        // The node tells its address to the others before it listens.
        if case .host(let host, port: 0) = main.address {
            main.address = .host(host, port: try await FreePort.find(host: host))
        }
        var configuration = GatewayServerConfiguration(listener: main)
        if let adminListen {
            configuration.admin = try server.listener(adminListen, option: "--admin-listen")
            configuration.admin?.tls = nil
        }
        configuration.drainDelay = drainDelay.duration
        configuration.settings.bootstrapToken = try server.token()
        configuration.settings.increaseURL = requestIncreaseURL
        return configuration
    }

    private func openJournal() throws -> Journal? {
        guard let journal else { return nil }
        do {
            return try Journal(folder: journal)
        } catch {
            throw CommandError(.failed, "--journal: \(error)")
        }
    }

    private func nodeName() throws -> String {
        if let nodeID {
            guard Identifier.isValid(nodeID) else {
                throw CommandError(.usage, "--node-id: '\(nodeID)' is not [a-z0-9][a-z0-9._-]{0,62}")
            }
            return nodeID
        }
        let host = HostName.current.lowercased().filter { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") }
        let place = host.drop { $0 == "-" }.prefix(40)
        return "\(place.isEmpty ? "node" : place)-\(Secret.random().prefix(8))"
    }

    /// Nil for a gateway that the others can't reach: its commits then go through the ledger.
    private func advertised(_ listener: ListenerConfiguration) throws -> String? {
        if let advertise {
            guard let url = URL(string: advertise), url.scheme == "http" || url.scheme == "https", url.host() != nil
            else { throw CommandError(.usage, "--advertise: '\(advertise)' is not an http or https URL") }
            return advertise
        }
        guard case .host(let host, let port) = listener.address else { return nil }
        let isEverywhere = host == "0.0.0.0" || host == "::"
        return listener.url(.host(isEverywhere ? HostName.current : host, port: port))
    }
}
