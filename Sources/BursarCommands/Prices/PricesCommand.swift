// `bursar prices`: what models cost.

import ArgumentParser

struct PricesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prices", abstract: "The price book: USD per million tokens.",
        subcommands: [PricesGet.self, PricesPut.self], defaultSubcommand: PricesGet.self)

    static let path = "/api/v1/prices"
}
