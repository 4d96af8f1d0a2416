// rediss:// against a real server with certificates made for the test.

import Foundation
import Logging
import RedisClient
import Testing
import TopologySupport

@Suite("TLS", .timeLimit(.minutes(1)))
struct TLSTests {
    @Test("The server must have a certificate of a trusted authority that names the host, the client one of its own")
    func certificates() async throws {
        let server = try LoopbackServer([
            "--tls-port", "{port}", "--tls-cert-file", "{folder}/server.crt", "--tls-key-file", "{folder}/server.key",
            "--tls-ca-cert-file", "{folder}/ca.crt", "--tls-auth-clients", "yes",
        ])
        try await makeCertificates(in: server.folder)
        try server.start()
        let base = "rediss://localhost:\(server.port)/2?ca_file=\(server.folder.path)/ca.crt"
        let client = "&certificate_file=\(server.folder.path)/client.crt&key_file=\(server.folder.path)/client.key"

        try await withClient(base + client) { client async throws in
            #expect(try await client.send(["PING"]) == .status("PONG"))
            #expect(try await client.send(["CLIENT", "INFO"]).string?.contains(" db=2 ") == true)
        }
        let byAddress = (base + client).replacing("localhost", with: "127.0.0.1")
        try await withClient(byAddress + "&verify_hostname=false") { client async throws in
            #expect(try await client.send(["PING"]) == .status("PONG"))
        }
        let unacceptable = [
            base,  // no certificate of the client
            byAddress,  // the certificate names localhost only
            (base + client).replacing("/ca.crt", with: "/other.crt"),  // another authority
        ]
        for url in unacceptable {
            try await withClient(url) { client async throws in
                let error = await failure { () throws(RedisError) in
                    try await client.send(["PING"], timeout: .seconds(1))
                }
                #expect(error?.code == .notConnected, "\(url)")
            }
        }
    }

    @Test("Files that can't be used end the client at once with a configuration error")
    func unreadableFiles() async throws {
        let client = RedisClient(
            configuration: try RedisConfiguration(url: "rediss://localhost?ca_file=/nonexistent/ca.crt"),
            logger: Logger(label: "test"))
        let error = await #expect(throws: RedisError.self) { try await client.run() }
        #expect(error?.code == .configuration)
    }

    private func makeCertificates(in folder: URL) async throws {
        let newKey = "req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
        for name in ["ca", "other"] {
            try await openssl(folder, "\(newKey) -x509 -days 2 -subj /CN=\(name) -keyout \(name).key -out \(name).crt")
        }
        try Data("subjectAltName=DNS:localhost".utf8).write(to: folder.appending(path: "names"))
        let sign = "x509 -req -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile names"
        for name in ["server", "client"] {
            try await openssl(folder, "\(newKey) -subj /CN=localhost -keyout \(name).key -out \(name).csr")
            try await openssl(folder, "\(sign) -in \(name).csr -out \(name).crt")
        }
    }

    private func openssl(_ folder: URL, _ arguments: String) async throws {
        let process = Process()
        process.executableURL = try LoopbackServer.find("openssl")
        process.arguments = arguments.split(separator: " ").map(String.init)
        process.currentDirectoryURL = folder
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        let status = try await withCheckedThrowingContinuation { continuation in
            process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
            do {
                try process.run()
            } catch {
                continuation.resume(throwing: error)
            }
        }
        try #require(status == 0)
    }
}
