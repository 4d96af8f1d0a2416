// Which URLs are understood, and that no secret gets out of a configuration.

import RedisClient
import Testing
import TopologySupport

@Suite("The Redis URL")
struct RedisConfigurationTests {
    @Test(
        "Host, port and database are read, with their defaults",
        arguments: [
            ("redis://h", "h", 6379, 0), ("redis://h:1/2", "h", 1, 2), ("REDIS://h/", "h", 6379, 0),
            ("redis://[::1]:7000/5", "::1", 7000, 5), ("redis://[::1]", "::1", 6379, 0),
            ("redis://h?db=4", "h", 6379, 4),
        ])
    func tcp(url: String, host: String, port: Int, database: Int) throws {
        let configuration = try RedisConfiguration(url: url)
        #expect(configuration.endpoint == .tcp(host: host, port: port))
        #expect(configuration.database == database)
        #expect(configuration.tls == nil)
        #expect(configuration.password == nil)
    }

    @Test("User and password are percent-decoded; the user may be missing")
    func credentials() throws {
        let both = try RedisConfiguration(url: "redis://us%3Aer:p%40ss:%2F%25@h:1")
        #expect(both.username == "us:er")
        #expect(both.password == "p@ss:/%")
        let one = try RedisConfiguration(url: "unix://:secret@/tmp/a%20b.sock?db=1")
        #expect(one.username == nil)
        #expect(one.password == "secret")
        #expect(one.endpoint == .unixSocket(path: "/tmp/a b.sock"))
        #expect(one.database == 1)
    }

    @Test("rediss turns TLS on, with its options")
    func tls() throws {
        let plain = try RedisConfiguration(url: "rediss://h")
        #expect(plain.tls == RedisConfiguration.TLS())
        let full = try RedisConfiguration(
            url: "rediss://h?ca_file=/ca&certificate_file=/c%26&key_file=/k&verify_hostname=false&client_name=g1"
                + "&connect_timeout_ms=250&command_timeout_ms=1500")
        var tls = RedisConfiguration.TLS()
        (tls.caFile, tls.certificateFile, tls.keyFile, tls.verifyHostname) = ("/ca", "/c&", "/k", false)
        #expect(full.tls == tls)
        #expect(full.clientName == "g1")
        #expect(full.connectTimeout == .milliseconds(250))
        #expect(full.commandTimeout == .milliseconds(1500))
    }

    @Test(
        "What is not understood is refused, without repeating the URL",
        arguments: [
            "", "localhost:6379", "http://hunter2", "redis://", "redis://:hunter2@", "redis://h:0", "redis://h:65536",
            "redis://h:hunter2", "redis://h/hunter2", "redis://h/-1", "redis://hunter2@h", "redis://u:hunter2%2@h",
            "redis://u:hunter2%zz@h", "redis://u:hunter2%ff@h", "redis://u:hunter2#x@h", "redis://h?hunter=2",
            "redis://h?db=", "redis://h?ca_file=/ca", "rediss://h?certificate_file=/c", "rediss://h?verify_hostname=no",
            "redis://a,b", "redis://[::1]x", "unix://", "unix://host/path", "unix:///",
            "redis://h?command_timeout_ms=0", "redis+sentinel://a,b", "redis+sentinel://a,/s", "redis+sentinel:///s",
            "redis+sentinel://a/s/x", "redis+cluster://", "redis+cluster://a,,b", "redis+cluster://a/1",
            "redis+cluster://a?db=1", "redis://a?sentinel_password=hunter2",
        ])
    func invalid(url: String) async {
        let error = await failure { () throws(RedisError) in try RedisConfiguration(url: url) }
        #expect(error?.code == .configuration)
        #expect(error.map { "\($0)".contains("hunter2") } == false)
    }

    @Test("A Sentinel URL names Sentinels, a service and a database; their password is an option of its own")
    func sentinel() throws {
        let plain = try RedisConfiguration(url: "redis+sentinel://a:1,b,[::1]:3/my%20books/2")
        #expect(plain.topology == .sentinel(service: "my books"))
        #expect(
            plain.endpoints == [.tcp(host: "a", port: 1), .tcp(host: "b", port: 26_379), .tcp(host: "::1", port: 3)])
        #expect(plain.database == 2)
        #expect(plain.tls == nil)
        let secret = try RedisConfiguration(
            url: "rediss+sentinel://u:hunter2@a/s?sentinel_username=w&sentinel_password=hunter3")
        #expect(secret.tls != nil)
        #expect(secret.password == "hunter2")
        #expect(secret.sentinelUsername == "w")
        #expect(secret.sentinelPassword == "hunter3")
        #expect("\(secret)" == "rediss+sentinel://a:26379/s/0")
    }

    @Test("A cluster URL names some nodes")
    func cluster() throws {
        let plain = try RedisConfiguration(url: "redis+cluster://:hunter2@a:1,b")
        #expect(plain.topology == .cluster)
        #expect(plain.endpoints == [.tcp(host: "a", port: 1), .tcp(host: "b", port: 6379)])
        #expect(plain.password == "hunter2")
        #expect("\(plain)" == "redis+cluster://a:1,b:6379")
        #expect(try RedisConfiguration(url: "rediss+cluster://a/").tls != nil)
    }

    @Test("A configuration shows its address and never its secrets")
    func noSecrets() throws {
        let configuration = try RedisConfiguration(url: "rediss://user:hunter2@[::1]:7/3?client_name=n")
        var dumped = ""
        dump(configuration, to: &dumped)
        for text in ["\(configuration)", String(reflecting: configuration), dumped] {
            #expect(text.contains("rediss://[::1]:7/3"))
            #expect(!text.contains("hunter2"))
            #expect(!text.contains("user"))
        }
    }
}
