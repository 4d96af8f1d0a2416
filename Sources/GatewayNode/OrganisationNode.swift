// One organisation on one node: the hot state that requests touch, and the machine that talks to the ledger.

import Ledger
import Logging
import QuotaCore
import Synchronization

/// Decides and settles for one organisation. Admission is synchronous and touches neither the machine's lock nor the
/// ledger while slices suffice.
package final class OrganisationNode: Sendable {
    /// What the machine's lock protects.
    struct State: Sendable {
        var machine: SessionMachine
        /// Earlier lives that still have something to tell.
        var past: [SessionMachine] = []
        var continuations: [UInt64: CheckedContinuation<WaiterOutcome, Never>] = [:]
        var lastWaiter: UInt64 = 0
        var closing = false
        var stopped = false
    }
    /// What an administrator changes rarely: read by reference on each request.
    struct Settings: Sendable {
        var sealer: Sealer
        var pricing: Pricing
        var durability: Durability

        init(_ head: OrganisationHead, organisation: String) {
            sealer = Sealer(head.secrets, organisation: organisation)
            pricing = head.pricing
            durability = head.durability
        }
    }

    package let organisation: String
    let ledger: Ledger
    let configuration: GatewayNodeConfiguration
    let clock: any NodeClock
    let relay: any CommitRelay
    let logger: Logger
    let journal: Journal?
    let alarm = Alarm()
    let state: Mutex<State>
    let handle: Mutex<SessionHandle>
    let settings: Mutex<Settings>
    let entries: EntryTable
    let resolving = Mutex<[String: Task<AccountEntry?, any Error>]>([:])
    let addresses = Mutex<[String: String]>([:])
    let retries = RetryQueue()
    let loopTask = Mutex<Task<Void, Never>?>(nil)
    let subLeases = Mutex<[SubLeaseKey: SubLeaseState]>([:])
    package let keys: KeyCache
    package let counters = NodeCounters()
    let rulesVersion: Atomic<Int64>
    /// The newest version that this node has heard of, applied or not.
    let newestVersion: Atomic<Int64>

    init(
        organisation: String, head: OrganisationHead, ledger: Ledger, configuration: GatewayNodeConfiguration,
        clock: any NodeClock, relay: any CommitRelay, logger: Logger,
        journal: Journal? = nil
    ) {
        self.organisation = organisation
        self.ledger = ledger
        self.configuration = configuration
        self.clock = clock
        self.relay = relay
        self.logger = logger
        self.journal = journal
        self.settings = Mutex(Settings(head, organisation: organisation))
        self.entries = EntryTable(maximum: configuration.maximumAccounts)
        self.keys = KeyCache(organisation: organisation, ledger: ledger, configuration: configuration, clock: clock)
        self.rulesVersion = Atomic(head.version)
        self.newestVersion = Atomic(head.version)
        let (machine, handle) = Self.makeSession(configuration, alarm: alarm, version: head.version)
        self.state = Mutex(State(machine: machine))
        self.handle = Mutex(handle)
    }

    private static func makeSession(
        _ configuration: GatewayNodeConfiguration, alarm: Alarm, version: Int64
    ) -> (SessionMachine, SessionHandle) {
        let id = configuration.nodeID + "~" + RandomIdentifier.make(length: 13)
        let leftover = Leftover(alarm: alarm)
        let table = ReservationTable(onLeftover: { leftover.notice() })
        let machine = SessionMachine(id: id, table: table, timing: configuration.timing, rulesVersion: version)
        return (machine, SessionHandle(id: id, table: table, leftover: leftover))
    }

    /// When what the ledger writes for this organisation counts.
    var durability: Durability { settings.withLock { $0.durability } }

    var session: SessionHandle { handle.withLock { $0 } }
    package var sessionID: String { session.id }

    /// Ledger time, ms since 1970.
    package func nowMilliseconds() -> Int64 { session.ledgerTime(clock.now()) }

    /// Whether anything can be decided: an answer of the ledger is young enough.
    package var canDecide: Bool {
        session.isFresh(clock.now(), bound: max(configuration.timing.maxStaleness, 30_000))
    }

    package var openReservations: Int { session.table.openCount }

    // MARK: Sessions

    /// The ledger has ended the session: a new life begins, the old one only tells what it still knows.
    func startNewSession() {
        let version = rulesVersion.load(ordering: .relaxed)
        let (machine, fresh) = Self.makeSession(configuration, alarm: alarm, version: version)
        // Machine and handle change together: a chain is made with the leases of one and the table of the other.
        let old = state.withLock { state -> SessionHandle in
            state.past.append(state.machine)
            state.machine = machine
            return handle.withLock { current -> SessionHandle in
                defer { current = fresh }
                // Before anybody sees it: requests that wait for this session take their time from it.
                fresh.ledgerOffset.store(current.ledgerOffset.load(ordering: .relaxed), ordering: .relaxed)
                return current
            }
        }
        entries.retire { _ in true }
        counters.sessionsLost.add(1)
        logger.warning("session over, starting a new one", metadata: ["old": "\(old.id)", "new": "\(fresh.id)"])
    }

    // MARK: Rules

    /// The account with its chain: from memory, or from the ledger. Nil when it does not exist.
    func entry(for account: String) async throws -> AccountEntry? {
        if let known = entries[account], known.session === session, known.isCurrent(nowMilliseconds()) { return known }
        let task = resolving.withLock { tasks -> Task<AccountEntry?, any Error> in
            if let running = tasks[account] { return running }
            let task = Task { [self] in
                defer { resolving.withLock { $0[account] = nil } }
                return try await resolve(account)
            }
            tasks[account] = task
            return task
        }
        return try await task.value
    }

    private func resolve(_ account: String) async throws -> AccountEntry? {
        let path = try await ledger.resolve(account: account, organisation: organisation)
        guard let own = path.accounts.first, own.id == account, !own.archived else { return nil }
        let now = clock.now()
        let time = path.now
        let (made, handle) = try state.withLock { state -> (Chain, SessionHandle) in
            var slots: [Slot] = []
            for part in path.accounts {
                for budget in part.budgets {
                    guard let period = AccountRules.period(budget, at: time / 1000) else {
                        throw RulesError(message: "budget \(part.id)/\(budget.name) has no period at \(time)")
                    }
                    let rule = try AccountRules.rule(budget, account: part.id)
                    let key = LeaseKey(generation: rule.generation, start: period.start)
                    let lease = state.machine.lease(key, unit: rule.unit, end: period.end, now: now)
                    if case .allow(_, let amount) = rule.outage {
                        state.machine.emergencyAmounts[rule.generation] = amount
                    }
                    slots.append(Slot(rule: rule, lease: lease))
                }
            }
            let chain = Chain(
                account: account, path: try path.accounts.map { try AccountRules.pathAccount($0) }, slots: slots,
                rulesVersion: path.version, maxStaleness: configuration.timing.maxStaleness)
            return (chain, session)
        }
        // Before the first exchange this is all that is known of the ledger's time.
        if handle.answeredAt.load(ordering: .relaxed) == .min {
            handle.ledgerOffset.store(path.now - now, ordering: .relaxed)
        }
        let entry = AccountEntry(chain: made, session: handle, pricing: settings.withLock { $0.pricing })
        entries.store(entry)
        // What has changed meanwhile could not find the entry, so it is looked for after the entry can be found.
        if newestVersion.load(ordering: .acquiring) > path.version || handle !== session { made.retire() }
        return entry
    }

    /// The account's path up to the root; nil when it does not exist.
    package func path(of account: String) async throws(LedgerError) -> [String]? {
        do {
            return try await entry(for: account)?.chain.path.map(\.id)
        } catch let error as LedgerError {
            throw error
        } catch {
            throw LedgerError(.unexpectedAnswer, "\(error)", cause: error)
        }
    }

    // MARK: Ids

    package func seal(_ token: ReservationToken) -> String { settings.withLock { $0.sealer }.seal(token) }
    package func seal(_ receipt: Receipt) -> String { settings.withLock { $0.sealer }.seal(receipt) }
    package func open(reservation id: String) -> ReservationToken? {
        settings.withLock { $0.sealer }.openReservation(id)
    }
    package func open(decision id: String) -> Receipt? { settings.withLock { $0.sealer }.openDecision(id) }
}

/// Rings the exchange loop when leftovers wait, once until the loop has looked.
final class Leftover: Sendable {
    private let pending = Atomic<Bool>(false)
    private let alarm: Alarm

    init(alarm: Alarm) { self.alarm = alarm }

    /// Called under a shard's lock: only a flag and, the first time, a ring.
    func notice() {
        if !pending.exchange(true, ordering: .acquiringAndReleasing) { alarm.ring() }
    }

    func collect() -> Bool { pending.exchange(false, ordering: .acquiringAndReleasing) }
}
