// `bursar node`: the gateways that are alive, and those that were.

import ArgumentParser

struct NodeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "node", abstract: "Gateway nodes.", subcommands: [NodeList.self], defaultSubcommand: NodeList.self)
}
