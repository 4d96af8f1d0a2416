// `bursar block list`

import ArgumentParser

struct BlockList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "Lists blocked accounts.")

    @OptionGroup var console: ConsoleOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let accounts = try await console.withClient { try await $0.list("/api/v1/accounts") }
        output.show(
            accounts.filter { $0["block"] != nil },
            columns: [
                .left("ACCOUNT", "id"), .left("REASON", "block.reason"), .left("SINCE", "block.blocked_at"),
                .left("BY", "block.actor"),
            ])
    }
}
