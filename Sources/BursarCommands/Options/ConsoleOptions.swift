// Where the console is and who asks.

import ArgumentParser
import AsyncHTTPClient
import Foundation
import NIOCore

struct ConsoleOptions: ParsableArguments {
    @Option(name: .long, help: "The console's URL.")
    var server = "http://127.0.0.1:8090"

    @OptionGroup var access: AccessOptions

    /// Runs `body` with a client that is closed afterwards.
    func withClient<Result: Sendable>(
        _ body: @Sendable (ConsoleClient) async throws -> Result
    ) async throws -> Result {
        try await access.withClient(of: server, body)
    }
}

/// Credentials and limits of one call, for console and gateways.
struct AccessOptions: ParsableArguments {
    @OptionGroup var settings: ConfigOptions

    @Option(name: .long, help: "The key to use.")
    var token: String?

    @Option(name: .long, help: "File with the key to use.", completion: .file())
    var tokenFile: String?

    @Option(name: .long, help: "The organisation, for the bootstrap token.")
    var organisation: String?

    @Option(name: .long, help: "How long an answer may take.")
    var timeout = TimeSpan(.seconds(30))

    @Option(name: .long, help: "Certificates to trust instead of the system's, PEM.", completion: .file())
    var caFile: String?

    func withClient<Result: Sendable>(
        of base: String, _ body: @Sendable (ConsoleClient) async throws -> Result
    ) async throws -> Result {
        guard let url = URL(string: base), url.scheme == "http" || url.scheme == "https", url.host() != nil else {
            throw CommandError(.usage, "'\(base)' is not an http or https URL")
        }
        let limit = TimeAmount.milliseconds(max(1, timeout.milliseconds))
        let http = ConsoleClient.makeHTTPClient(timeout: limit, caFile: caFile)
        let client = ConsoleClient(
            base: base, token: try Secret.read(token, file: tokenFile), organisation: organisation, timeout: limit,
            http: http)
        do {
            let result = try await body(client)
            try await http.shutdown()
            return result
        } catch {
            // The first error is the one to tell.
            try? await http.shutdown()
            throw error
        }
    }
}
