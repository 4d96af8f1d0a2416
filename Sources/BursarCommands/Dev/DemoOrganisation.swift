// The organisation that `bursar dev` shows: small budgets, so that one sees them run out.

enum DemoOrganisation {
    static let id = "default"
    /// Accounts that spend.
    static let spenders = ["search", "marketing", "legal"]
    /// The key of this account and name may spend as all of them.
    static let proxyKey = (account: "default", name: "gateway-proxy")

    static let yaml = """
        organisation: {id: default, timezone: UTC}
        accounts:
        - id: default
          name: Example Ltd
          budgets:
            monthly-usd: {unit: usd, amount: "20000", period: {every: month}}
          keys:
          - {name: gateway-proxy, role: proxy}
          - {name: dashboard, role: viewer}
        - id: engineering
          parent: default
          name: Engineering
          kind: department
          cost_centre: CC-100
          heads: [{name: Grace, email: grace@example.com}]
          budgets:
            monthly-usd: {unit: usd, amount: "5000", period: {every: month}}
            daily-tokens: {unit: tokens, amount: 20000000, period: {every: day}}
          keys: [{name: head, role: head}]
        - id: search
          parent: engineering
          name: Search
          kind: team
          budgets:
            monthly-usd: {unit: usd, amount: "1000", period: {every: month}}
            hourly-tokens: {unit: tokens, amount: 1000000, period: {every: hour}}
          keys: [{name: ci, role: member, principal: ci@example.com}]
        - id: marketing
          parent: default
          name: Marketing
          kind: department
          cost_centre: CC-200
          budgets:
            monthly-usd: {unit: usd, amount: "800", period: {every: month}}
            daily-tokens: {unit: tokens, amount: 5000000, period: {every: day}}
          keys: [{name: campaigns, role: member, principal: campaigns@example.com}]
        - id: legal
          parent: default
          name: Legal
          kind: department
          cost_centre: CC-300
          budgets:
            monthly-usd: {unit: usd, amount: "300", period: {every: month}}
            daily-tokens: {unit: tokens, amount: 200000, period: {every: day}}
          keys: [{name: review, role: member, principal: review@example.com}]
        prices:
        - {model: "gpt-4o-mini*", input: "0.15", cache_read: "0.075", output: "0.6", max_output_tokens: 16384}
        - {model: "gpt-4o*", input: "2.5", cache_read: "1.25", output: "10", max_output_tokens: 16384}
        - {model: "llama-3.1-8b-internal", input: "0.02", output: "0.02", max_output_tokens: 8192}
        aliases: {fast: gpt-4o-mini}
        """

    /// Applies it through a console.
    ///
    /// - Returns: the keys.
    static func apply(to client: ConsoleClient) async throws(CommandError) -> [IssuedKey] {
        let name = "the demo organisation"
        let file = try OrganisationFile(try PlacedValue(yaml: yaml, name: name), name: name)
        let state = try await CurrentState.read(client, for: file)
        let plan = try Planner(file: file, state: state, prune: false).plan()
        var keys: [IssuedKey] = []
        try await PlanRunner(client: client, name: name).run(plan) { _, key in
            if let key { keys.append(key) }
        }
        return keys
    }
}
