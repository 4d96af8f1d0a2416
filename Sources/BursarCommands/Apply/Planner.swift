// From a file and the rules as they are to a plan: a pure function, so that every case can be tested.

/// Makes plans.
struct Planner: Sendable {
    let file: OrganisationFile
    let state: CurrentState
    /// Whether what the file does not mention goes away.
    let prune: Bool

    /// - Throws: `.refused` for what can't be changed: the role of a key.
    func plan() throws(CommandError) -> Plan {
        var plan = Plan()
        if let step = organisation() { plan.steps.append(step) }
        if let step = prices() { plan.steps.append(step) }
        let accounts = file.accountsInOrder
        plan.steps += accounts.compactMap(account)
        for account in accounts { plan.steps += account.budgets.compactMap { budget($0, of: account.id) } }
        var conflicts: [String] = []
        for account in accounts {
            for key in account.keys {
                switch keyStep(key, of: account.id) {
                case .success(let step): if let step { plan.steps.append(step) }
                case .failure(let error): conflicts.append(error.message)
                }
            }
        }
        guard conflicts.isEmpty else { throw CommandError(.refused, conflicts.joined(separator: "\n")) }
        if prune { plan.steps += deletions(accounts) }
        return plan
    }

    private func organisation() -> PlanStep? {
        guard let id = file.organisationID, let wanted = file.organisation, state.seesOrganisations else { return nil }
        var current = state.organisation
        // One replica can be written in two ways, and the console answers with the short one.
        if wanted.json["durability"]?.text == "replica:1", current?["durability"]?.text == "replica" {
            current = current?.overlaid(with: .fields(["durability": "replica:1"]))
        }
        return step(.organisation, id, "\(OrganisationCommand.path)/\(id)", current: current, wanted: wanted)
    }

    private func prices() -> PlanStep? {
        var wanted: [String: JSONValue] = [:]
        if let prices = file.prices { wanted["prices"] = prices.json }
        if let aliases = file.aliases { wanted["aliases"] = aliases.json }
        guard !wanted.isEmpty else { return nil }
        let body = JSONValue.object(wanted)
        let aliasesDiffer =
            file.aliases != nil
            && Set((state.prices["aliases"]?.members ?? [:]).keys) != Set((body["aliases"]?.members ?? [:]).keys)
        let changes = wanted.keys.sorted().compactMap { key -> FieldChange? in
            let before = state.prices[key] ?? .null
            let isSame = Difference.covers(before, wanted[key] ?? .null) && !(key == "aliases" && aliasesDiffer)
            return isSame ? nil : FieldChange(field: key, before: before, after: wanted[key] ?? .null)
        }
        guard !changes.isEmpty else { return nil }
        // The book changes as a whole: what the file says nothing of is sent as it is.
        var whole: [String: JSONValue] = [:]
        for key in ["prices", "aliases"] { whole[key] = wanted[key] ?? state.prices[key] }
        let isNew = (state.prices["prices"]?.items ?? []).isEmpty && (state.prices["aliases"]?.members ?? [:]).isEmpty
        let count = body["prices"]?.items.count ?? 0
        return PlanStep(
            action: isNew ? .create : .update(changes), subject: .prices, name: "(\(count) models)", method: .put,
            path: PricesCommand.path, body: .object(whole), source: file.prices ?? file.aliases)
    }

    private func account(_ account: OrganisationFile.Account) -> PlanStep? {
        var current = state.accounts[account.id]
        // The root account comes with its organisation.
        let isRoot = account.id == (file.organisationID ?? "default")
        if isRoot, current == nil { current = .object([:]) }
        return step(
            .account, account.id, AccountCommand.path(account.id), current: current, wanted: account.body)
    }

    private func budget(_ budget: OrganisationFile.Budget, of account: String) -> PlanStep? {
        step(
            .budget, "\(account)/\(budget.id)", BudgetCommand.path(account, budget.id),
            current: state.budgets[account]?[budget.id], wanted: budget.body)
    }

    private func step(
        _ subject: PlanStep.Subject, _ name: String, _ path: String, current: JSONValue?, wanted: PlacedValue
    ) -> PlanStep? {
        let body = wanted.json
        guard let current else {
            return PlanStep(
                action: .create, subject: subject, name: name, method: .put, path: path, body: body, source: wanted)
        }
        let changes = Difference.between(current, body)
        guard !changes.isEmpty else { return nil }
        let changed = Set(changes.map { String($0.field.prefix { $0 != "." }) })
        return PlanStep(
            action: .update(changes), subject: subject, name: name, method: .patch, path: path,
            body: .object(body.members.filter { changed.contains($0.key) }), source: wanted)
    }

    private func keyStep(_ key: OrganisationFile.Key, of account: String) -> Result<PlanStep?, CommandError> {
        let body = key.body.json
        guard let current = state.keys[account]?.first(where: { $0["name"]?.text == key.name }) else {
            return .success(
                PlanStep(
                    action: .create, subject: .key, name: "\(account)/\(key.name)", method: .post,
                    path: KeyCommand.path(account), body: body, source: key.body, account: account))
        }
        guard let role = body["role"], current["role"] != role else { return .success(nil) }
        return .failure(
            CommandError(
                .refused,
                "\(file.name):\(key.place): key '\(key.name)' of \(account) has the role "
                    + "\(current["role"]?.text ?? "-"), which keys keep; use another name or revoke it first"))
    }

    /// Keys, then budgets, then accounts, children first.
    private func deletions(_ accounts: [OrganisationFile.Account]) -> [PlanStep] {
        var steps: [PlanStep] = []
        for account in accounts where account.hasKeys {
            let names = Set(account.keys.map(\.name))
            for key in state.keys[account.id] ?? [] {
                guard let name = key["name"]?.text, let id = key["id"]?.text, !names.contains(name) else { continue }
                steps.append(delete(.key, "\(account.id)/\(name)", KeyCommand.path(account.id, id)))
            }
        }
        for account in accounts {
            let ids = Set(account.budgets.map(\.id))
            for id in (state.budgets[account.id] ?? [:]).keys.sorted() where !ids.contains(id) {
                steps.append(delete(.budget, "\(account.id)/\(id)", BudgetCommand.path(account.id, id)))
            }
        }
        guard file.accounts != nil else { return steps }
        let kept = Set(accounts.map(\.id))
        let gone = state.accounts.values.filter { row in
            row["parent"] != nil && !kept.contains(row["id"]?.text ?? "")
        }
        for row in gone.sorted(by: { (depth($0), $0["id"]?.text ?? "") > (depth($1), $1["id"]?.text ?? "") }) {
            guard let id = row["id"]?.text else { continue }
            steps.append(delete(.account, id, AccountCommand.path(id)))
        }
        return steps
    }

    private func depth(_ row: JSONValue) -> Int {
        var depth = 0
        var parent = row["parent"]?.text
        while let id = parent, depth <= state.accounts.count {
            depth += 1
            parent = state.accounts[id]?["parent"]?.text
        }
        return depth
    }

    private func delete(_ subject: PlanStep.Subject, _ name: String, _ path: String) -> PlanStep {
        PlanStep(action: .delete, subject: subject, name: name, method: .delete, path: path)
    }
}
