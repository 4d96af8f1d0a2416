// Where Redis is and how to speak to it: every setting of this target, with its default.

/// The settings of one ``RedisClient``.
package struct RedisConfiguration: Sendable, Hashable {
    /// Where the server listens.
    package enum Endpoint: Sendable, Hashable {
        case tcp(host: String, port: Int)
        case unixSocket(path: String)
    }

    /// TLS settings. Files are PEM and are read again at every connect, so that certificates can be rotated.
    package struct TLS: Sendable, Hashable {
        /// Certificates to trust instead of the system's.
        package var caFile: String?
        /// The client's certificate chain, for servers that ask for one; goes with ``keyFile``.
        package var certificateFile: String?
        package var keyFile: String?
        /// Whether the certificate must name the host. The chain is verified in any case.
        package var verifyHostname = true

        package init() {}
    }

    /// How the servers are arranged.
    package enum Topology: Sendable, Hashable {
        /// One server.
        case standalone
        /// The endpoints are Sentinels, which know the primary of this service.
        case sentinel(service: String)
        /// The endpoints are some nodes of a Redis Cluster, which know the others.
        case cluster
    }

    package var topology = Topology.standalone
    /// The server, or where to ask for servers. Never empty.
    package var endpoints: [Endpoint]
    /// For Sentinels that want a password of their own; they are never given that of the servers.
    package var sentinelUsername: String?
    package var sentinelPassword: String?
    /// The ACL user; nil is Redis' default user.
    package var username: String?
    package var password: String?
    package var database = 0
    /// nil: no TLS.
    package var tls: TLS?
    /// Bound on TCP, TLS and AUTH together.
    package var connectTimeout: Duration = .seconds(1)
    /// Deadline of a command whose caller gives none.
    package var commandTimeout: Duration = .seconds(1)
    /// The most commands in flight, and the most that wait for a connection.
    package var maxInFlight = 8192
    /// The most bytes of commands that wait to be written.
    package var maxPendingBytes = 64 << 20
    /// The pause before a reconnect grows from this ...
    package var backoffMin: Duration = .milliseconds(10)
    /// ... to this.
    package var backoffMax: Duration = .seconds(1)
    /// Shown by `CLIENT LIST`.
    package var clientName: String?

    package init(endpoint: Endpoint) {
        endpoints = [endpoint]
    }

    /// The server; the first of several endpoints.
    package var endpoint: Endpoint { endpoints[0] }

    /// The same settings for one server.
    func at(_ endpoint: Endpoint) -> RedisConfiguration {
        var configuration = self
        configuration.topology = .standalone
        configuration.endpoints = [endpoint]
        return configuration
    }

    /// The settings with which a Sentinel is asked.
    func sentinel(at endpoint: Endpoint) -> RedisConfiguration {
        var configuration = at(endpoint)
        configuration.database = 0
        configuration.username = sentinelUsername
        configuration.password = sentinelPassword
        return configuration
    }

    /// How long a server may owe an overdue reply and send nothing at all before the connection is given up.
    var stallTimeout: Duration { commandTimeout * 2 }
}

extension RedisConfiguration: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The server's address as a URL without user, password and options: fit for logs.
    package var description: String {
        if case .unixSocket(let path) = endpoint {
            return "unix://\(path)\(database == 0 ? "" : "?db=\(database)")"
        }
        let scheme = tls == nil ? "redis" : "rediss"
        let hosts = endpoints.map { "\($0)" }.joined(separator: ",")
        return switch topology {
        case .standalone: "\(scheme)://\(hosts)/\(database)"
        case .sentinel(let service): "\(scheme)+sentinel://\(hosts)/\(service)/\(database)"
        case .cluster: "\(scheme)+cluster://\(hosts)"
        }
    }

    package var debugDescription: String { description }

    /// No children: a dump must not show the password either.
    package var customMirror: Mirror { Mirror(self, children: [:]) }
}

extension RedisConfiguration.Endpoint: CustomStringConvertible {
    /// `host:port`, or the path.
    package var description: String {
        switch self {
        case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unixSocket(let path): path
        }
    }
}
