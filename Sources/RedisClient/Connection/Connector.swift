// Opens connections: socket, TLS, handshake, all within the connect timeout.

import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

struct Connector: Sendable {
    let configuration: RedisConfiguration
    let eventLoop: any EventLoop
    /// Whether only a primary is fit for use.
    var primaryOnly = false
    /// Looks host names up; nil is the system's way.
    var resolver: (any Resolver & Sendable)?

    /// A connection on which the handshake has succeeded; `makeHandler`'s handler sees ``ConnectionReady`` first and
    /// then every batch of replies.
    ///
    /// Throws ``RedisError`` with the code `configuration` when TLS files can't be used, else `notConnected`.
    func connect(_ makeHandler: @escaping @Sendable () -> any ChannelHandler) async throws(RedisError) -> any Channel {
        let tls = try tlsContext()
        let handshakes = Handshakes()
        do {
            let bootstrap = ClientBootstrap(group: eventLoop)
                .resolver(resolver)
                .connectTimeout(TimeAmount(configuration.connectTimeout))
                .channelInitializer { [configuration, primaryOnly] channel in
                    channel.eventLoop.makeCompletedFuture {
                        let handlers = channel.pipeline.syncOperations
                        if let tls { try handlers.addHandler(tls.makeHandler()) }
                        let done = handshakes.begin(on: channel)
                        do {
                            let handshake = HandshakeHandler(
                                configuration: configuration, primaryOnly: primaryOnly, done: done)
                            try handlers.addHandlers([ReplyDecoder(), handshake, makeHandler()])
                        } catch {
                            done.fail(error)
                            throw error
                        }
                    }
                }
            let channel =
                switch configuration.endpoint {
                case .tcp(let host, let port): try await bootstrap.connect(host: host, port: port).get()
                case .unixSocket(let path): try await bootstrap.connect(unixDomainSocketPath: path).get()
                }
            try await handshakes.finish(on: channel)
            return channel
        } catch {
            throw RedisError(.notConnected, "can't connect to \(configuration)", cause: error)
        }
    }

    /// TLS settings read from their files; nil without TLS.
    func tlsContext() throws(RedisError) -> TLSClient? {
        guard let tls = configuration.tls else { return nil }
        do {
            var settings = TLSConfiguration.makeClientConfiguration()
            if let caFile = tls.caFile {
                settings.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(caFile))
            }
            if let certificateFile = tls.certificateFile, let keyFile = tls.keyFile {
                settings.certificateChain = try NIOSSLCertificate.fromPEMFile(certificateFile).map { .certificate($0) }
                settings.privateKey = .privateKey(try NIOSSLPrivateKey(file: keyFile, format: .pem))
            }
            if !tls.verifyHostname { settings.certificateVerification = .noHostnameVerification }
            return TLSClient(context: try NIOSSLContext(configuration: settings), host: serverName)
        } catch {
            throw RedisError(.configuration, "the TLS settings can't be used", cause: error)
        }
    }

    /// The name to ask for and to verify; nil for an IP address, which is verified against the certificate as such.
    private var serverName: String? {
        guard case .tcp(let host, _) = configuration.endpoint,
            (try? SocketAddress(ipAddress: host, port: 0)) == nil
        else { return nil }
        return host
    }
}

/// The handshakes under way for one connect. A host with several addresses is tried on several sockets at once, of which
/// one wins: only its handshake counts.
private final class Handshakes: Sendable {
    private let futures = Mutex<[ObjectIdentifier: EventLoopFuture<Void>]>([:])

    func begin(on channel: any Channel) -> EventLoopPromise<Void> {
        let done = channel.eventLoop.makePromise(of: Void.self)
        futures.withLock { $0[ObjectIdentifier(channel)] = done.futureResult }
        return done
    }

    func finish(on channel: any Channel) async throws {
        try await futures.withLock { $0[ObjectIdentifier(channel)] }?.get()
    }
}

struct TLSClient: Sendable {
    let context: NIOSSLContext
    let host: String?

    func makeHandler() throws -> NIOSSLClientHandler {
        try NIOSSLClientHandler(context: context, serverHostname: host)
    }
}
