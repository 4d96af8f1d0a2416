// Reads a Redis URL strictly: what is not understood is refused, and no message repeats the URL, which holds a password.

extension RedisConfiguration {
    /// Reads `redis://[[user]:password@]host[:port][/db]`, `unix://[[user]:password@]/path`,
    /// `redis+sentinel://[[user]:password@]host[:port],.../service[/db]` or
    /// `redis+cluster://[[user]:password@]host[:port],...`; with `rediss` for TLS.
    ///
    /// Options follow as `?name=value&...`: `db`, `client_name`, `connect_timeout_ms`, `command_timeout_ms`, and for
    /// TLS `ca_file`, `certificate_file`, `key_file`, `verify_hostname`. User, password, path and values are
    /// percent-decoded. Throws ``RedisError/Code/configuration``.
    package init(url: String) throws(RedisError) {
        guard let schemeEnd = url.firstRange(of: "://") else { throw .invalidURL("it has no scheme://") }
        let scheme = url[..<schemeEnd.lowerBound].lowercased()
        let (location, query) = url[schemeEnd.upperBound...].split(atFirst: "?")
        guard !location.contains("#") else { throw .invalidURL("'#' must be written as %23") }
        let pathStart = location.firstIndex(of: "/") ?? location.endIndex
        let (authority, path) = (location[..<pathStart], location[pathStart...])
        let userEnd = authority.lastIndex(of: "@")
        let host = userEnd.map { authority[authority.index(after: $0)...] } ?? authority

        switch scheme {
        case "redis", "rediss":
            self.init(endpoint: try Self.tcpEndpoint(host))
            if path.count > 1 { database = try Self.database(path.dropFirst()) }
        case "unix":
            guard host.isEmpty, path.count > 1 else { throw .invalidURL("write unix:///path") }
            self.init(endpoint: .unixSocket(path: try path.percentDecoded()))
        case "redis+sentinel", "rediss+sentinel":
            try self.init(hosts: host, defaultPort: 26_379)
            let (service, number) = path.dropFirst().split(atFirst: "/")
            guard !service.isEmpty else { throw .invalidURL("it does not name the Sentinels' service") }
            topology = .sentinel(service: try service.percentDecoded())
            if let number { database = try Self.database(number) }
        case "redis+cluster", "rediss+cluster":
            try self.init(hosts: host, defaultPort: 6379)
            guard path.count <= 1 else { throw .invalidURL("a cluster has no databases") }
            topology = .cluster
        default:
            throw .invalidURL("unknown scheme; use redis[s]://, redis[s]+sentinel://, redis[s]+cluster:// or unix://")
        }
        if scheme.hasPrefix("rediss") { tls = TLS() }
        if let userEnd {
            let (user, secret) = authority[..<userEnd].split(atFirst: ":")
            guard let secret, !secret.isEmpty else { throw .invalidURL("it has a user but no password") }
            username = user.isEmpty ? nil : try user.percentDecoded()
            password = try secret.percentDecoded()
        }
        for option in (query ?? "").split(separator: "&") {
            let (name, value) = option.split(atFirst: "=")
            guard let value, !value.isEmpty else { throw .invalidURL("option '\(name)' has no value") }
            try set(option: name, to: try value.percentDecoded())
        }
        guard topology != .cluster || database == 0 else { throw .invalidURL("a cluster has no databases") }
        guard (tls?.certificateFile == nil) == (tls?.keyFile == nil) else {
            throw .invalidURL("certificate_file and key_file go together")
        }
    }

    private init(hosts: Substring, defaultPort: Int) throws(RedisError) {
        var endpoints: [Endpoint] = []
        for host in hosts.split(separator: ",", omittingEmptySubsequences: false) {
            endpoints.append(try Self.tcpEndpoint(host, defaultPort: defaultPort))
        }
        guard let first = endpoints.first else { throw .invalidURL("it does not name a host") }
        self.init(endpoint: first)
        self.endpoints = endpoints
    }

    private mutating func set(option: Substring, to value: String) throws(RedisError) {
        switch option {
        case "db": database = try Self.database(value[...])
        case "client_name": clientName = value
        case "sentinel_username", "sentinel_password":
            guard case .sentinel = topology else { throw .invalidURL("option '\(option)' needs redis+sentinel://") }
            if option == "sentinel_username" { sentinelUsername = value } else { sentinelPassword = value }
        case "connect_timeout_ms": connectTimeout = try Self.milliseconds(value, of: option)
        case "command_timeout_ms": commandTimeout = try Self.milliseconds(value, of: option)
        case "ca_file", "certificate_file", "key_file", "verify_hostname":
            guard var tls else { throw .invalidURL("option '\(option)' needs rediss://") }
            switch option {
            case "ca_file": tls.caFile = value
            case "certificate_file": tls.certificateFile = value
            case "key_file": tls.keyFile = value
            default:
                guard let verify = Bool(value) else { throw .invalidURL("verify_hostname is true or false") }
                tls.verifyHostname = verify
            }
            self.tls = tls
        default: throw .invalidURL("unknown option '\(option)'")
        }
    }

    private static func tcpEndpoint(_ text: Substring, defaultPort: Int = 6379) throws(RedisError) -> Endpoint {
        var (host, port): (Substring, Substring?)
        if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
            host = text[text.index(after: text.startIndex)..<end]
            let rest = text[text.index(after: end)...]
            guard rest.isEmpty || rest.hasPrefix(":") else { throw .invalidURL("the port is not a number") }
            port = rest.isEmpty ? nil : rest.dropFirst()
        } else {
            (host, port) = text.split(atFirst: ":")
        }
        guard !host.isEmpty, !host.contains(where: { $0 == " " || $0 == "," }) else {
            throw .invalidURL("it does not name one host")
        }
        guard let port else { return .tcp(host: String(host), port: defaultPort) }
        guard let number = Int(port), (1...65535).contains(number) else {
            throw .invalidURL("the port is not a number from 1 to 65535")
        }
        return .tcp(host: String(host), port: number)
    }

    private static func database(_ text: Substring) throws(RedisError) -> Int {
        guard let number = Int(text), number >= 0 else { throw .invalidURL("the database is not a number from 0 up") }
        return number
    }

    private static func milliseconds(_ text: String, of option: Substring) throws(RedisError) -> Duration {
        guard let number = Int(text), (1...3_600_000).contains(number) else {
            throw .invalidURL("\(option) is not a number from 1 to 3600000")
        }
        return .milliseconds(number)
    }
}

extension RedisError {
    fileprivate static func invalidURL(_ reason: String) -> RedisError {
        RedisError(.configuration, "the Redis URL is not valid: \(reason)")
    }
}

extension Substring {
    fileprivate func split(atFirst separator: Character) -> (Substring, Substring?) {
        guard let index = firstIndex(of: separator) else { return (self, nil) }
        return (self[..<index], self[self.index(after: index)...])
    }

    fileprivate func percentDecoded() throws(RedisError) -> String {
        var bytes: [UInt8] = []
        var rest = utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            let digits = rest.prefix(2)
            guard digits.count == 2, let digitsText = String(digits), !digitsText.hasPrefix("+"),
                let decoded = UInt8(digitsText, radix: 16)
            else { throw .invalidURL("'%' is not followed by two hexadecimal digits") }
            bytes.append(decoded)
            rest = rest.dropFirst(2)
        }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw .invalidURL("it is not UTF-8") }
        return text
    }
}
