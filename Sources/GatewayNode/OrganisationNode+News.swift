// News: a hint only speeds up, the version in every answer is the truth.

import Ledger
import Logging
import QuotaCore
import RedisClient
import Synchronization

extension OrganisationNode {
    /// Follows the organisation's channel. Every (re)subscription reads what was missed.
    func watchNews() async {
        let channel = Ledger.prefix(organisation) + "news"
        while !Task.isCancelled {
            for await push in ledger.redis.subscribe([channel]) {
                switch push {
                case .subscribed: await readNews()
                case .message(_, let payload): await take(hint: payload)
                }
            }
            try? await Task.sleep(for: .milliseconds(200))
        }
    }

    private func take(hint: String) async {
        let words = hint.split(separator: " ")
        let now = clock.now()
        switch words.first {
        case "version":
            guard words.count >= 2, let version = Int64(words[1]) else { return }
            hear(of: version)
            distrust(words.dropFirst(2))
            guard version > rulesVersion.load(ordering: .relaxed) else { return }
            await readNews()
        case "recall" where words.count == 4:
            guard let start = Int64(words[2]), let round = Int64(words[3]) else { return }
            state.withLock {
                $0.machine.recall(LeaseKey(generation: String(words[1]), start: start), round: round, now: now)
            }
            alarm.ring()
        case "freed" where words.count == 3:
            guard let start = Int64(words[2]) else { return }
            state.withLock { $0.machine.freed(LeaseKey(generation: String(words[1]), start: start), now: now) }
            alarm.ring()
        default: break
        }
    }

    /// Nothing is admitted any more on what is held of these accounts and keys: a block counts from its hint on,
    /// without waiting for what it says. A hint that is wrong costs a look-up.
    private func distrust(_ touched: some Sequence<Substring>) {
        let (keyWords, accountWords) = (touched.filter { $0.hasPrefix("key:") }, touched.filter { !$0.contains(":") })
        for word in keyWords { keys.forget(String(word.dropFirst(4))) }
        retire(Set(accountWords.map(String.init)))
    }

    /// What is held of these accounts, and of all below them, is looked up anew.
    private func retire(_ accounts: Set<String>) {
        guard !accounts.isEmpty else { return }
        entries.retire { entry in entry.chain.path.contains { accounts.contains($0.id) } }
    }

    /// Reads the events after the version applied, and looks up anew what they touch.
    func readNews() async {
        counters.newsReads.add(1)
        do {
            let after = rulesVersion.load(ordering: .relaxed)
            let asOf = clock.now()
            let page = try await ledger.news(after: after, organisation: organisation)
            hear(of: page.version)
            if page.complete {
                for item in page.news { try await apply(item) }
            } else if page.version > after || after == 0 {
                try await reloadAll()
            }
            raise(to: page.version, asOf: asOf)
        } catch {
            logger.warning("news not read", metadata: ["error": "\(error)"])
        }
    }

    /// Before anything is retired: what is looked up meanwhile must see that it may be out of date.
    private func hear(of version: Int64) { _ = newestVersion.max(version, ordering: .acquiringAndReleasing) }

    private func raise(to version: Int64, asOf: Int64) {
        let applied = rulesVersion.max(version, ordering: .acquiringAndReleasing).newValue
        let handle = session
        state.withLock { state in
            state.machine.apply(rules: applied, asOf: asOf)
            if handle.id == state.machine.id { handle.follow(state.machine) }
        }
    }

    private func apply(_ item: News) async throws {
        let now = clock.now()
        if !item.after.isEmpty || item.kind == "block.deleted" { retries.remember(item, at: now) }
        switch item.kind {
        case "budget.warned", "budget.reached": return
        case "prices.put", "organisation.updated", "secrets.rotated": try await reloadSettings()
        case "history.started":
            // Blocks first: what is looked up from here on must find those that Redis has forgotten.
            await retellRules()
            entries.retire { _ in true }
            keys.forgetAll()
        default:
            if !item.key.isEmpty { keys.forget(item.key) }
            if !item.account.isEmpty, item.key.isEmpty {
                retire([item.account])
                state.withLock {
                    $0.machine.rulesChanged(generation: item.generation.isEmpty ? nil : item.generation, now: now)
                }
                alarm.ring()
            }
        }
    }

    private func reloadAll() async throws {
        entries.retire { _ in true }
        keys.forgetAll()
        try await reloadSettings()
        let now = clock.now()
        state.withLock { $0.machine.rulesChanged(generation: nil, now: now) }
        alarm.ring()
    }

    private func reloadSettings() async throws {
        let head = try await OrganisationHead.read(ledger, organisation: organisation)
        settings.withLock { $0 = Settings(head, organisation: organisation) }
        entries.retire { _ in true }
    }
}

extension OrganisationNode {
    /// Redis has lost writes: blocks and revocations that this node has seen are told again by their ids, so that a
    /// rollback lets nobody in. A change that the books still know changes nothing.
    func retellRules() async {
        for item in retries.recentNews(now: clock.now()) {
            let change = Change(id: item.change, actor: item.actor, reason: item.reason)
            do {
                switch item.kind {
                case "block.put":
                    _ = try await ledger.putBlock(
                        account: item.account, block: item.after, change: change, organisation: organisation)
                case "block.deleted":
                    _ = try await ledger.deleteBlock(
                        account: item.account, change: change, organisation: organisation)
                default:
                    _ = try await ledger.revokeKey(
                        item.key, record: item.after, change: change, organisation: organisation)
                }
            } catch {
                logger.warning("rule not told again", metadata: ["kind": "\(item.kind)", "error": "\(error)"])
            }
        }
    }
}
