// Settings from three places: flag over environment over file.

import Foundation
import Testing

@testable import BursarCommands

@Suite("Settings")
struct SettingsResolverTests {
    private func resolve(
        _ arguments: [String], _ environment: [String: String] = [:], file: String? = nil
    ) throws -> [String] {
        var environment = environment
        let name = "settings-\(UInt64.random(in: 0 ... .max)).yaml"
        let path = FileManager.default.temporaryDirectory.appending(path: name)
        if let file {
            try Data(file.utf8).write(to: path)
            environment["BURSAR_CONFIG"] = path.path
        }
        defer { try? FileManager.default.removeItem(at: path) }
        let tree = CommandTree(BursarCommand.self)
        return try SettingsResolver(tree: tree, environment: environment).resolve(arguments)
    }

    @Test("A flag wins over the environment, and the environment over the file")
    func precedence() throws {
        let file = "listen: file:1\nnode_id: from-file\ndrain-delay: 3s\n"
        let environment = ["BURSAR_LISTEN": "env:2", "BURSAR_NODE_ID": "from-env"]
        let resolved = try resolve(["gateway", "--listen", "flag:3"], environment, file: file)
        #expect(resolved.contains("--node-id=from-env"))
        #expect(resolved.contains("--drain-delay=3s"))
        #expect(!resolved.contains { $0.hasPrefix("--listen=") })
        #expect(resolved.suffix(2) == ["--listen", "flag:3"])
    }

    @Test("The section of a command wins over the top of the file, and other sections do not matter")
    func sections() throws {
        let file = "listen: top:1\ngateway: {listen: gateway:2}\nconsole: {listen: console:3}\n"
        #expect(try resolve(["gateway"], file: file) == ["gateway", "--listen=gateway:2"])
        #expect(try resolve(["console"], file: file) == ["console", "--listen=console:3"])
    }

    @Test("Every long option of every command has an environment variable")
    func everyOption() throws {
        func check(_ command: CommandTree, _ path: [String]) throws {
            guard command.subcommands.isEmpty else {
                for next in command.subcommands { try check(next, path + [next.name]) }
                return
            }
            // A secret and its file are one setting, so files have a turn of their own.
            let options = try command.settings()
            for isFile in [false, true] {
                var environment: [String: String] = [:]
                var expected: Set<String> = []
                for option in options {
                    let name = try #require(option.long)
                    let isFilesTurn = options.contains { name == "\($0.long ?? "")-file" }
                    guard isFilesTurn == isFile else { continue }
                    environment[SettingsResolver.variableName(name)] = option.isFlag ? "true" : "v"
                    expected.insert(option.isFlag ? "--\(name)" : "--\(name)=v")
                }
                let resolved = try resolve(path, environment)
                #expect(Array(resolved.prefix(path.count)) == path)
                #expect(Set(resolved.dropFirst(path.count)) == expected, "\(path)")
            }
        }
        try check(CommandTree(BursarCommand.self), [])
    }

    @Test("A secret and its file are one setting: the higher place wins over both in the lower ones")
    func secrets() throws {
        let environment = ["BURSAR_TOKEN": "secret"]
        #expect(try resolve(["check", "--token-file", "/f"], environment) == ["check", "--token-file", "/f"])
        #expect(try resolve(["check"], environment, file: "token_file: /f\n") == ["check", "--token=secret"])
        #expect(try resolve(["check"], file: "token_file: /f\n") == ["check", "--token-file=/f"])
        let both = ["BURSAR_TOKEN": "secret", "BURSAR_TOKEN_FILE": "/f"]
        #expect(try resolve(["check"], both) == ["check", "--token=secret"])
    }

    @Test("Flags are true or false, and an empty variable counts as not set")
    func flags() throws {
        #expect(try resolve(["check"], ["BURSAR_JSON": "true"]) == ["check", "--json"])
        #expect(try resolve(["check"], ["BURSAR_JSON": "0"]) == ["check"])
        #expect(try resolve(["check"], ["BURSAR_JSON": ""]) == ["check"])
        let error = #expect(throws: CommandError.self) { try resolve(["check"], ["BURSAR_JSON": "maybe"]) }
        #expect(error?.code == .usage)
        #expect(error?.message.contains("BURSAR_JSON") == true)
    }

    @Test("Values go behind the command's name, whatever follows --")
    func terminator() throws {
        let resolved = try resolve(
            ["budget", "adjust", "search", "usd", "--", "--server=no"], ["BURSAR_SERVER": "http://h"])
        #expect(resolved == ["budget", "adjust", "--server=http://h", "search", "usd", "--", "--server=no"])
    }

    @Test("A default subcommand takes settings, too")
    func defaultSubcommand() throws {
        #expect(
            try resolve(["block", "legal"], ["BURSAR_SERVER": "http://h"])
                == ["block", "set", "--server=http://h", "legal"])
        #expect(try resolve(["prices"]) == ["prices", "get"])
    }

    @Test("Help needs no settings file")
    func help() throws {
        #expect(try resolve(["gateway", "--help"], ["BURSAR_CONFIG": "/nowhere"]) == ["gateway", "--help"])
    }

    @Test("An unknown key names its line", arguments: ["listen: a\nlisen: b\n", "gateway:\n  lisen: b\n"])
    func unknownKey(file: String) throws {
        let error = #expect(throws: CommandError.self) { try resolve(["gateway"], file: file) }
        #expect(error?.code == .usage)
        #expect(error?.message.contains(":2:") == true)
        #expect(error?.message.contains("'lisen'") == true)
    }

    @Test("A list in the file is a list of values")
    func lists() throws {
        let resolved = try resolve(["load"], file: "gateways: [http://a, http://b]\n")
        #expect(resolved.contains("--gateways=http://a,http://b"))
    }
}
