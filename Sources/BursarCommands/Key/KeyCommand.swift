// `bursar key`: credentials of proxies and people.

import ArgumentParser

struct KeyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key", abstract: "Keys of an account.",
        subcommands: [KeyList.self, KeyCreate.self, KeyRotate.self, KeyDelete.self])

    static func path(_ account: String) -> String { "\(AccountCommand.path(account))/keys" }

    static func path(_ account: String, _ key: String) -> String { "\(path(account))/\(ConsoleClient.escape(key))" }
}
