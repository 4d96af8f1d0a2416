// `bursar console`: the composition root of a console process.

import ArgumentParser
import Console
import Foundation
import HTTPSupport
import QuotaCore
import RedisClient
import ServiceLifecycle

struct ConsoleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "console", abstract: "Runs a console: the admin API.",
        discussion: "Prints `listening on URL` once it serves. SIGTERM ends it; the second signal ends it at once.")

    @OptionGroup var redis: RedisOptions

    @Option(name: .long, help: "HOST:PORT or unix:PATH; port 0 takes a free one.")
    var listen = "127.0.0.1:8090"

    @Option(name: .long, help: "URL at which people find this console.")
    var publicURL: String?

    @Option(name: .long, help: "Create this organisation at the start if it is not there.")
    var createOrganisation: String?

    @Option(name: .long, help: "The gateways' --max-staleness, from which block bounds are told.")
    var maxStaleness = TimeSpan(.seconds(5))

    @OptionGroup var server: ServerOptions

    func run() async throws {
        let logger = server.logs.logger("bursar.console")
        let redisConfiguration = try redis.configuration(clientName: "bursar-console")
        var configuration = ConsoleServer.Configuration(listener: try server.listener(listen))
        configuration.settings.adminToken = try server.token()
        configuration.settings.publicURL = try checkedPublicURL()
        configuration.settings.maxStaleness = max(1, (maxStaleness.milliseconds + 999) / 1000)
        if let createOrganisation, !Identifier.isValid(createOrganisation) {
            throw CommandError(.usage, "--create-organisation is not [a-z0-9][a-z0-9._-]{0,62}")
        }
        configuration.createOrganisation = createOrganisation

        let redis = RedisClient(configuration: redisConfiguration, logger: logger)
        let guardian = try await EvictionGuard.atStart(redisConfiguration, later: redis, logger: logger)
        let listener = configuration.listener
        let console = try ConsoleServer(configuration, redis: redis, logger: logger) { address in
            Terminal.line("listening on \(listener.url(address))")
        }
        let services: [(any Service)?] = [redis, guardian, console]
        try await ServerProcess(
            logger: logger, exitOnStdinClose: server.exitOnStdinClose, shutdownTime: .seconds(15)
        ).run(services.compactMap { $0 })
    }

    private func checkedPublicURL() throws -> String? {
        guard let publicURL else { return nil }
        guard let url = URL(string: publicURL), url.scheme == "http" || url.scheme == "https", url.host() != nil else {
            throw CommandError(.usage, "--public-url: '\(publicURL)' is not an http or https URL")
        }
        return publicURL
    }
}
