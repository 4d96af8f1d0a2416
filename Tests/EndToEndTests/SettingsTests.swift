// Where settings come from, and what the program says of itself.

import BursarCommands
import Foundation
import ProcessSupport
import Testing

extension EndToEnd {
    @Suite("Settings of processes")
    struct Settings {
        @Test("A flag wins over the environment, the environment over the file of --config")
        func places() async throws {
            try await Installation.with { bursar in
                let file = try bursar.write(
                    "settings.yaml", "server: \(bursar.console)\ntoken: \(Installation.adminToken)\njson: true\n")
                let fromFile = try await Program.run(["account", "list", "--config", file])
                #expect(fromFile.code == 0, "\(fromFile)")
                #expect(fromFile.json.items.contains { $0["id"]?.string == "search" }, "\(fromFile)")
                let variables = ["BURSAR_CONFIG": file, "BURSAR_TOKEN": "wrong"]
                let environment = try await Program.run(["account", "list"], environment: variables)
                #expect(environment.code == 3, "\(environment)")
                let flag = try await Program.run(
                    ["account", "list", "--token", Installation.adminToken], environment: variables)
                #expect(flag.code == 0, "\(flag)")
            }
        }

        @Test("A misspelt setting in the file is refused with its line: 64")
        func misspelt() async throws {
            let path = "/tmp/bursar-settings-\(UInt64.random(in: 0 ... .max)).yaml"
            try "server: http://127.0.0.1:1\ntokn: x\n".write(toFile: path, atomically: true, encoding: .utf8)
            defer { try? FileManager.default.removeItem(atPath: path) }
            let result = try await Program.run(["check", "--config", path])
            #expect(result.code == 64, "\(result)")
            #expect(result.errors.contains("\(path):2"), "\(result)")
        }

        @Test("--version, --help and completion scripts go to standard output with exit code 0")
        func itself() async throws {
            let version = try await Program.run(["--version"])
            #expect(version.code == 0, "\(version)")
            #expect(version.output.wholeMatch(of: /\d+\.\d+\.\d+/) != nil, "\(version)")
            let help = try await Program.run(["gateway", "--help"])
            #expect(help.code == 0, "\(help)")
            #expect(help.output.contains("(default: 5s)"), "the drain of a gateway: \(help)")
            for shell in ["bash", "zsh", "fish"] {
                let script = try await Program.run(["--generate-completion-script", shell])
                #expect(script.code == 0, "\(script)")
                #expect(script.output.contains("drain-delay"), "\(shell)")
            }
            let bash = try await Program.run(["--generate-completion-script", "bash"])
            let path = "/tmp/bursar-completion-\(UInt64.random(in: 0 ... .max))"
            try bash.output.write(toFile: path, atomically: true, encoding: .utf8)
            defer { try? FileManager.default.removeItem(atPath: path) }
            let syntax = try await Program.run(["-n", path], executable: "/bin/bash")
            #expect(syntax.code == 0, "\(syntax)")
        }
    }
}
