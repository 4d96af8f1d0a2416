// How `bursar load` learns what the books say.

import ArgumentParser
import LoadTest

struct LoadBookOptions: ParsableArguments {
    @Option(name: .long, help: "The console's URL; left out: the books are not judged.")
    var console: String?

    @Option(name: .long, help: "A key that reads the books.")
    var token: String?

    @Option(name: .long, help: "File with that key.", completion: .file())
    var tokenFile: String?

    @Option(name: .long, help: "The organisation, for the bootstrap token.")
    var organisation: String?

    @Option(name: .long, help: "How often the books are read.")
    var watchInterval = TimeSpan(.seconds(1))

    @Option(name: .long, help: "How long all leases may take to come back after the run.")
    var settleTimeout = TimeSpan(.seconds(30))

    @Option(name: .long, help: "After this without a change what is still leased counts as settled.")
    var settleStable = TimeSpan(.seconds(6))

    @Option(name: .long, help: "A first denial below this share of an allowance breaks the run.")
    var firstDenialAtLeast: Double?

    @Option(name: .long, help: "The Redis whose commands are counted, on all its primaries; a URL as for a gateway.")
    var redis: String?

    func set(_ options: inout LoadOptions) throws {
        options.console = console
        options.consoleToken = try Secret.read(token, file: tokenFile)
        options.organisation = organisation
        options.watchInterval = watchInterval.duration
        options.settleTimeout = settleTimeout.duration
        options.settleStable = settleStable.duration
        options.firstDenialAtLeast = firstDenialAtLeast
        options.redis = redis
    }
}
