// Where Redis is, for the processes that keep the books.

import ArgumentParser
import RedisClient

struct RedisOptions: ParsableArguments {
    @Option(
        name: .long,
        help: """
            redis://[user:pass@]host[:port][/db], unix:///path, redis+sentinel://host[:port],.../service[/db] or \
            redis+cluster://host[:port],...; rediss for TLS.
            """)
    var redis: String?

    @Option(name: .long, help: "File with the Redis URL.", completion: .file())
    var redisFile: String?

    @Option(name: .long, help: "Redis' password, instead of the one in the URL.")
    var redisPassword: String?

    @Option(name: .long, help: "File with Redis' password.", completion: .file())
    var redisPasswordFile: String?

    @Option(name: .long, help: "Certificates to trust for rediss://, PEM.", completion: .file())
    var redisCaFile: String?

    @Option(name: .long, help: "Certificate to show to Redis, PEM.", completion: .file())
    var redisCertificate: String?

    @Option(name: .long, help: "Key of that certificate, PEM.", completion: .file())
    var redisKey: String?

    @Option(name: .long, help: "How long a command to Redis may take.")
    var redisTimeout: TimeSpan?

    /// - Parameter clientName: shown by Redis' `CLIENT LIST`.
    func configuration(clientName: String) throws -> RedisConfiguration {
        guard let url = try Secret.read(redis, file: redisFile) else {
            throw CommandError(.usage, "--redis is missing: where are the books?")
        }
        var configuration: RedisConfiguration
        do {
            configuration = try RedisConfiguration(url: url)
        } catch {
            throw CommandError(.usage, "--redis: \(error.message)")
        }
        if let password = try Secret.read(redisPassword, file: redisPasswordFile) { configuration.password = password }
        if let redisTimeout { configuration.commandTimeout = redisTimeout.duration }
        if configuration.clientName == nil { configuration.clientName = clientName }
        guard redisCaFile != nil || redisCertificate != nil || redisKey != nil else { return configuration }
        guard var tls = configuration.tls else {
            throw CommandError(.usage, "--redis-ca-file, --redis-certificate and --redis-key need rediss://")
        }
        guard (redisCertificate == nil) == (redisKey == nil) else {
            throw CommandError(.usage, "--redis-certificate and --redis-key go together")
        }
        tls.caFile = redisCaFile ?? tls.caFile
        tls.certificateFile = redisCertificate ?? tls.certificateFile
        tls.keyFile = redisKey ?? tls.keyFile
        configuration.tls = tls
        return configuration
    }
}
