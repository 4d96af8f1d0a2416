// A key sees names and figures at and below its own account, and nothing else.

import Testing

@testable import GatewayHTTP

@Suite("Visibility")
struct HorizonTests {
    @Test("Accounts above the key's are not seen")
    func above() {
        let horizon = Horizon(accounts: ["search", "engineering"])
        #expect(horizon.sees("search") && horizon.sees("engineering"))
        #expect(!horizon.sees("default") && !horizon.sees("sales"))
    }

    @Test("A key of the root sees all, a key of one account sees that")
    func extremes() {
        #expect(Horizon.everything.sees("anything"))
        #expect(Horizon(own: "search").sees("search") && !Horizon(own: "search").sees("engineering"))
    }
}
