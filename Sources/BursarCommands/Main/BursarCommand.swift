// The root of the command line: what commands there are, in the order in which people meet them.

import ArgumentParser

struct BursarCommand: AsyncParsableCommand {
    static let version = "0.1.0"

    static let configuration = CommandConfiguration(
        commandName: "bursar",
        abstract: "Exact budgets of AI tokens and dollars for every department.",
        discussion: """
            Every long option is also an environment variable (--drain-delay: BURSAR_DRAIN_DELAY) and a key of the YAML \
            file given by --config (drain_delay, at the top or below the command's name). A flag wins over the \
            environment, the environment over the file.

            Exit codes: 0 fine, 1 failed, 3 denied or conflict, 64 usage.
            """,
        version: version,
        groupedSubcommands: [
            CommandGroup(name: "Run", subcommands: [GatewayCommand.self, ConsoleCommand.self, DevCommand.self]),
            CommandGroup(
                name: "Manage",
                subcommands: [
                    ApplyCommand.self, OrganisationCommand.self, AccountCommand.self, BudgetCommand.self,
                    BlockCommand.self, KeyCommand.self, PricesCommand.self,
                ]),
            CommandGroup(
                name: "Look",
                subcommands: [
                    NodeCommand.self, DoubtCommand.self, AuditCommand.self, WhyCommand.self, CheckCommand.self,
                    LoadCommand.self,
                ]),
        ])
}
