// What gateway and console have in common: TLS, logs, the bootstrap credential, and how they end.

import ArgumentParser
import HTTPSupport
import Logging

struct ServerOptions: ParsableArguments {
    @OptionGroup var settings: ConfigOptions

    @Option(name: .long, help: "Certificate chain of the listener, PEM.", completion: .file())
    var tlsCertificate: String?

    @Option(name: .long, help: "Key of that certificate, PEM.", completion: .file())
    var tlsKey: String?

    @Option(name: .long, help: "Bootstrap credential: admin of every organisation.")
    var adminToken: String?

    @Option(name: .long, help: "File with the bootstrap credential.", completion: .file())
    var adminTokenFile: String?

    @OptionGroup var logs: LogOptions

    @Flag(name: .long, help: .init("Shut down when standard input ends.", visibility: .hidden))
    var exitOnStdinClose = false

    func token() throws -> String? { try Secret.read(adminToken, file: adminTokenFile) }

    /// The listener at `--listen`, or whatever `option` is called.
    func listener(_ address: String, option: String = "--listen") throws -> ListenerConfiguration {
        guard (tlsCertificate == nil) == (tlsKey == nil) else {
            throw CommandError(.usage, "--tls-certificate and --tls-key go together")
        }
        var files: TLSFiles?
        if let tlsCertificate, let tlsKey { files = TLSFiles(certificateChain: tlsCertificate, privateKey: tlsKey) }
        do {
            return ListenerConfiguration(address: try ListenAddress(address), tls: files)
        } catch {
            throw CommandError(.usage, "\(option): \(error)")
        }
    }
}

extension ListenerConfiguration {
    /// The URL of a bound address; for sockets in the file system `unix:PATH`.
    func url(_ address: ListenAddress) -> String {
        guard case .host = address else { return "\(address)" }
        return "\(tls == nil ? "http" : "https")://\(address)"
    }
}
