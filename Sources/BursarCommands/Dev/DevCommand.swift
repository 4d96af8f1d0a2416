// `bursar dev`: everything on this machine, for trying out and developing against.

import ArgumentParser
import AsyncHTTPClient
import Foundation
import NIOCore
import UnixSignals

struct DevCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dev", abstract: "Runs a whole Bursar on loopback: Redis, gateways, console, a demo organisation.",
        discussion: "Ctrl-C stops all and leaves nothing running. The books live in a folder that is removed then.")

    @OptionGroup var settings: ConfigOptions

    @Option(name: .long, help: "How many gateways.")
    var gateways = 3

    @Option(name: .long, help: "The first gateway's port, the others follow; taken ports and 0 mean any.")
    var gatewayPort = 8080

    @Option(name: .long, help: "The console's port; if taken or 0 any.")
    var consolePort = 8090

    @Option(name: .long, help: "Bootstrap credential (default: made up).")
    var adminToken: String?

    @Option(name: .long, help: "File with the bootstrap credential.", completion: .file())
    var adminTokenFile: String?

    @Flag(name: .long, help: "Send demo traffic through the gateways.")
    var traffic = false

    @Option(name: .long, help: "Demo requests a second.")
    var trafficRate = 20.0

    @Option(name: .long, help: "The least severe events that the processes log.")
    var logLevel = "warning"

    func validate() throws {
        guard (1...64).contains(gateways) else { throw ValidationError("--gateways is from 1 to 64.") }
        guard (0...65_000).contains(gatewayPort), (0...65_535).contains(consolePort) else {
            throw ValidationError("A port is from 0 to 65535.")
        }
    }

    func run() async throws {
        let token = try Secret.read(adminToken, file: adminTokenFile) ?? Secret.random()
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint, .sighup)
        let stack = DevStack(token: token, logLevel: logLevel)
        let watcher = Task { [stack] in
            var isSecond = false
            for await _ in signals {
                if isSecond { stack.killAll() }
                isSecond = true
                stack.interrupt()
            }
        }
        defer { watcher.cancel() }
        do {
            try await stack.unlessInterrupted { try await start(stack) }
        } catch {
            await stack.stop()
            if error is CancellationError { return }
            throw error
        }
        let reason = await stack.firstEnd()
        Terminal.line(reason.map { "\($0): stopping all" } ?? "\nstopping")
        await stack.stop()
        if let reason { throw CommandError(.failed, reason) }
    }

    private func startGateways(_ stack: DevStack) async throws -> [String] {
        let ports = try await FreePort.find(
            host: "127.0.0.1", preferred: (0..<gateways).map { gatewayPort == 0 ? 0 : gatewayPort + $0 })
        return try await withThrowingTaskGroup(of: (Int, String).self) { group in
            for (number, port) in ports.enumerated() {
                group.addTask { (number, try await stack.startGateway(number: number + 1, port: port)) }
            }
            var urls = Array(repeating: "", count: gateways)
            for try await (number, url) in group { urls[number] = url }
            return urls
        }
    }

    private func start(_ stack: DevStack) async throws {
        try await stack.startRedis()
        let console = try await stack.startConsole(port: consolePort)
        let http = ConsoleClient.makeHTTPClient(timeout: .seconds(10), caFile: nil)
        stack.onStop { try? await http.shutdown() }
        func client(_ base: String, _ key: String, organisation: String?) -> ConsoleClient {
            ConsoleClient(base: base, token: key, organisation: organisation, timeout: .seconds(10), http: http)
        }
        let keys = try await DemoOrganisation.apply(
            to: client(console, stack.token, organisation: DemoOrganisation.id))
        let urls = try await startGateways(stack)
        guard
            let proxy = keys.first(where: {
                $0.account == DemoOrganisation.proxyKey.account && $0.name == DemoOrganisation.proxyKey.name
            })
        else { throw CommandError(.failed, "the demo organisation has no proxy key") }
        Terminal.line(
            DevSummary(
                console: console, gateways: urls, token: stack.token, keys: keys, proxyKey: proxy.secret,
                program: CommandLine.arguments.first ?? "bursar"
            ).text)
        guard traffic else { return }
        let demo = DemoTraffic(gateways: urls.map { client($0, proxy.secret, organisation: nil) }, rate: trafficRate)
        let task = Task { await demo.run() }
        stack.onStop {
            task.cancel()
            await task.value
        }
        Terminal.line("\nDemo traffic runs: \(trafficRate) requests a second.")
    }
}
