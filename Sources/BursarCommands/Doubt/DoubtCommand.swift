// `bursar doubt`: money that gateways may have spent before they died.

import ArgumentParser

struct DoubtCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doubt", abstract: "Money that gateways may have spent before they died.",
        subcommands: [DoubtList.self, DoubtResolve.self], defaultSubcommand: DoubtList.self)
}
