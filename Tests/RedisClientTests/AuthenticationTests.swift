// AUTH, SELECT and names, against a real server.

import RedisClient
import Testing
import TopologySupport

@Suite("Users and databases", .timeLimit(.minutes(1)))
struct AuthenticationTests {
    @Test("A password alone, or an ACL user and its password, is accepted; the wrong one is named as the cause")
    func passwords() async throws {
        let user = words("app on >p@ss/word ~* +@all -client")
        let server = try startedServer(["--requirepass", "se cret", "--user"] + user)
        for credentials in [":se%20cret", "app:p%40ss%2Fword"] {
            let url = server.url.replacing("unix://", with: "unix://\(credentials)@") + "?client_name=tester"
            try await withClient(url) { client async throws in
                #expect(try await client.send(["PING"]) == .status("PONG"))
            }
        }
        for (credentials, cause) in [("app:wrong@", "WRONGPASS"), ("", "NOAUTH")] {
            let url = server.url.replacing("unix://", with: "unix://\(credentials)")
            try await withClient(url) { client async throws in
                let error = await failure { () throws(RedisError) in
                    try await client.send(["PING"], timeout: .seconds(1))
                }
                #expect(error?.code == .notConnected)
                #expect(error?.description.contains(cause) == true)
                #expect(error?.description.contains("wrong") == false)
            }
        }
    }

    @Test("The database is selected on every connection, and the client has its name")
    func database() async throws {
        let server = try startedServer()
        try await withClient(server.url + "?db=3&client_name=tester") { client async throws in
            for _ in 1...2 {
                _ = try await client.send(["SET", "here", "yes"])
                let info = try await client.send(["CLIENT", "INFO"]).string
                #expect(info?.contains(" db=3 ") == true)
                #expect(info?.contains(" name=tester ") == true)
                server.kill()
                try server.start()
                #expect(try await eventually { client.statistics.reconnects == 1 })
            }
        }
    }

    @Test("A server that does not answer PING with its readiness is not used, and its refusal is the cause")
    func refusedHandshake() async throws {
        let server = try startedServer(["--user"] + words("default on nopass ~* +@all -ping"))
        try await withClient(server.url) { client async throws in
            let error = await failure { () throws(RedisError) in
                try await client.send(["GET", "x"], timeout: .seconds(2))
            }
            #expect(error?.code == .notConnected)
            #expect(error?.description.contains("refused PING") == true)
        }
    }

    private func words(_ text: String) -> [String] { text.split(separator: " ").map(String.init) }
}
