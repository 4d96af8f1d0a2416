// What the console has of the things that a file speaks of.

/// The rules as they are, as far as a plan needs them.
struct CurrentState: Sendable {
    /// Nil: there is no such organisation.
    var organisation: JSONValue?
    /// Whether organisations may be seen: only the bootstrap token may.
    var seesOrganisations = true
    /// By id.
    var accounts: [String: JSONValue] = [:]
    /// By account, then by id.
    var budgets: [String: [String: JSONValue]] = [:]
    /// By account.
    var keys: [String: [JSONValue]] = [:]
    var prices: JSONValue = .null

    /// Asks for what the file mentions, and for all accounts.
    static func read(_ client: ConsoleClient, for file: OrganisationFile) async throws(CommandError) -> CurrentState {
        var state = CurrentState()
        if let id = file.organisationID {
            do {
                state.organisation = try await client.get("\(OrganisationCommand.path)/\(id)")
            } catch {
                switch error.refusal?.status {
                // Nothing below it exists either.
                case 404: return state
                case 401 where client.token == nil: throw error
                case 401, 403: state.seesOrganisations = false
                default: throw error
                }
            }
        }
        for row in try await client.list("/api/v1/accounts") {
            if let id = row["id"]?.text { state.accounts[id] = row }
        }
        for account in file.accounts ?? [] where state.accounts[account.id] != nil {
            for row in try await client.list(BudgetCommand.path(account.id)) {
                if let id = row["budget"]?.text { state.budgets[account.id, default: [:]][id] = row }
            }
            guard account.hasKeys else { continue }
            state.keys[account.id] = try await client.list(KeyCommand.path(account.id)).filter {
                $0["revoked_at"] == nil
            }
        }
        if file.prices != nil || file.aliases != nil { state.prices = try await client.get(PricesCommand.path) }
        return state
    }
}
