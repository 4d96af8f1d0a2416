// `bursar audit`: who changed what, when and why.

import ArgumentParser

struct AuditCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "The record of every change.", subcommands: [AuditList.self],
        defaultSubcommand: AuditList.self)
}
