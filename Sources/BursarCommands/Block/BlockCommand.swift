// `bursar block`: the hard block of an account and all below it.

import ArgumentParser

struct BlockCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "block", abstract: "Blocks an account and all below it, at once.",
        discussion: "`bursar block ACCOUNT` is short for `bursar block set ACCOUNT`.",
        subcommands: [BlockSet.self, BlockDelete.self, BlockList.self], defaultSubcommand: BlockSet.self)

    static func path(_ account: String) -> String { "\(AccountCommand.path(account))/block" }
}
