// One listening socket as a service: where, with or without TLS, and how much a client may use of it.

import Hummingbird
import HummingbirdCore
import HummingbirdTLS
import Logging
import NIOCore
import NIOSSL
import ServiceLifecycle

/// Why a listener cannot be set up.
package struct ListenerError: Error, Sendable, CustomStringConvertible {
    package enum Code: String, Sendable { case badAddress = "bad_address", badCertificate = "bad_certificate" }
    package var code: Code
    package var message: String
    package var cause: (any Error)?

    package var description: String { message + (cause.map { ": \($0)" } ?? "") }
}

/// Where to listen.
package enum ListenAddress: Sendable, Hashable, CustomStringConvertible {
    case host(String, port: Int)
    case unix(path: String)

    /// Reads `host:port`, `[::1]:port` or `unix:PATH`. Port 0 lets the system choose.
    package init(_ text: String) throws(ListenerError) {
        if text.hasPrefix("unix:") {
            let path = text.dropFirst(5)
            let trimmed = path.hasPrefix("//") ? path.dropFirst(2) : path
            guard !trimmed.isEmpty else {
                throw ListenerError(code: .badAddress, message: "unix: needs a path")
            }
            self = .unix(path: String(trimmed))
            return
        }
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            throw ListenerError(code: .badAddress, message: "'\(text)' is not HOST:PORT or unix:PATH")
        }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        guard !host.isEmpty else {
            throw ListenerError(code: .badAddress, message: "'\(text)' names no host; use 0.0.0.0 for all")
        }
        self = .host(String(host), port: Int(port))
    }

    package var description: String {
        switch self {
        case .host(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }
}

/// Files of a TLS listener, PEM.
package struct TLSFiles: Sendable, Hashable {
    package var certificateChain: String
    package var privateKey: String

    package init(certificateChain: String, privateKey: String) {
        self.certificateChain = certificateChain
        self.privateKey = privateKey
    }

    func configuration() throws(ListenerError) -> TLSConfiguration {
        do {
            let chain = try NIOSSLCertificate.fromPEMFile(certificateChain).map {
                NIOSSLCertificateSource.certificate($0)
            }
            let key = try NIOSSLPrivateKey(file: privateKey, format: .pem)
            var configuration = TLSConfiguration.makeServerConfiguration(
                certificateChain: chain, privateKey: .privateKey(key))
            configuration.minimumTLSVersion = .tlsv12
            configuration.applicationProtocols = ["http/1.1"]
            return configuration
        } catch {
            throw ListenerError(code: .badCertificate, message: "the certificate or key cannot be used", cause: error)
        }
    }
}

package struct ListenerConfiguration: Sendable {
    package var address: ListenAddress
    package var tls: TLSFiles?
    /// Connections beyond wait in the backlog.
    package var maximumConnections = 10_000
    package var backlog = 1024
    /// An idle connection, or one whose request stops arriving, is closed after this.
    package var idleTimeout = TimeAmount.seconds(30)
    /// Most bytes of one header field and of all.
    package var headerFieldBytes = 16 << 10
    package var headerBytes = 32 << 10
    package var headerCount = 100

    package init(address: ListenAddress, tls: TLSFiles? = nil) {
        self.address = address
        self.tls = tls
    }
}

/// A listener with its operations. Runs until graceful shutdown: then it accepts no more and lets requests end.
package struct Listener: Service {
    private let application: Application<RouteTable>

    /// - Parameter onBound: called with the address that was really bound, once requests are accepted.
    /// - Throws: when the certificate or key cannot be read.
    package init(
        _ configuration: ListenerConfiguration, routes: RouteTable, logger: Logger,
        onBound: @escaping @Sendable (ListenAddress) async -> Void = { _ in }
    ) throws(ListenerError) {
        application = try Self.application(configuration, routes: routes, logger: logger, onBound: onBound)
    }

    /// The Hummingbird application behind a listener; tests drive it without a socket.
    package static func application(
        _ configuration: ListenerConfiguration, routes: RouteTable, logger: Logger,
        onBound: @escaping @Sendable (ListenAddress) async -> Void = { _ in }
    ) throws(ListenerError) -> Application<RouteTable> {
        let decoder = HTTP1Channel.Configuration.DecoderConfiguration(
            maxHeaderFieldSize: configuration.headerFieldBytes, maxHeaderListSize: configuration.headerBytes,
            maxHeaderFieldCount: configuration.headerCount)
        let plain = HTTPServerBuilder.http1(
            configuration: .init(idleTimeout: configuration.idleTimeout, httpDecoderConfiguration: decoder))
        var server = plain
        if let tls = configuration.tls {
            let settings = try tls.configuration()
            do {
                server = try .tls(plain, tlsConfiguration: settings)
            } catch {
                throw ListenerError(code: .badCertificate, message: "TLS cannot be set up", cause: error)
            }
        }
        let address: BindAddress =
            switch configuration.address {
            case .host(let host, let port): .hostname(host, port: port)
            case .unix(let path): .unixDomainSocket(path: path)
            }
        return Application(
            responder: routes, server: server,
            configuration: .init(
                address: address, serverName: nil, backlog: configuration.backlog,
                availableConnectionsDelegate: .maximum(configuration.maximumConnections, logger: logger)),
            onServerRunning: { channel in
                guard case .host(let host, let port) = configuration.address else {
                    return await onBound(configuration.address)
                }
                await onBound(.host(host, port: channel.localAddress?.port ?? port))
            },
            logger: logger)
    }

    package func run() async throws { try await application.run() }
}
