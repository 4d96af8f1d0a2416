// Redis may forget its last second when it fails. Nodes re-tell what they spent; this re-tells what people decided: every
// change of the last seconds is remembered with its id and repeated until the books are known to have kept it. A change
// that they still have answers as the first time, so that repeating is harmless.

import Ledger
import Logging
import ServiceLifecycle
import Synchronization

final class Reapplier: Service, Sendable {
    typealias Command = @Sendable (Ledger, Change) async throws -> Written

    struct Limits: Sendable {
        /// A change is forgotten when the books show it this long after it was made. Far more than Redis may lose.
        var memory = Duration.seconds(10)
        var interval = Duration.milliseconds(500)
        /// Beyond it the oldest are forgotten, with an alarm.
        var changes = 10_000
    }

    private struct Entry {
        var number: UInt64
        var change: Change
        var version: Int64
        var made: ContinuousClock.Instant
        var command: Command
    }

    private struct Books {
        var history: String?
        /// In the order in which they were made.
        var entries: [Entry] = []
    }

    private struct State {
        var books: [String: Books] = [:]
        var count = 0
        var next: UInt64 = 0
    }

    private let ledger: Ledger
    private let limits: Limits
    private let logger: Logger
    private let state = Mutex(State())

    init(ledger: Ledger, logger: Logger, limits: Limits = Limits()) {
        self.ledger = ledger
        self.limits = limits
        self.logger = logger
    }

    /// The history that changes will be judged by, if none is known yet: asked for before the first change.
    func prepare(_ organisation: String) async throws(LedgerError) {
        guard state.withLock({ $0.books[organisation]?.history == nil }) else { return }
        let history = try await ledger.organisation(organisation).history
        state.withLock { state in
            if state.books[organisation]?.history == nil {
                state.books[organisation, default: Books()].history = history
            }
        }
    }

    /// Remembers a change that was made.
    func remember(_ change: Change, version: Int64, organisation: String, _ command: @escaping Command) {
        let overflowed = state.withLock { state in
            state.next += 1
            state.count += 1
            var books = state.books[organisation] ?? Books()
            books.entries.append(
                Entry(
                    number: state.next, change: change, version: version, made: ContinuousClock.now, command: command))
            let overflows = state.count > limits.changes
            if overflows {
                books.entries.removeFirst()
                state.count -= 1
            }
            state.books[organisation] = books
            return overflows
        }
        if overflowed {
            logger.error("too many changes to remember: the oldest would be lost with the ledger's last second")
        }
    }

    /// How many changes are remembered.
    var count: Int { state.withLock { $0.count } }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while (try? await Task.sleep(for: self.limits.interval)) != nil { await self.look() }
        }
    }

    /// Looks at the books of every organisation with remembered changes.
    func look() async {
        for organisation in state.withLock({ $0.books.filter { !$0.value.entries.isEmpty }.keys.sorted() }) {
            await look(organisation)
        }
    }

    private func look(_ organisation: String) async {
        let head: OrganisationRow
        do {
            head = try await ledger.organisation(organisation)
        } catch {
            // Out of reach, or without a record: nothing is confirmed, so nothing is forgotten.
            return
        }
        let now = ContinuousClock.now
        let books = state.withLock { $0.books[organisation] ?? Books() }
        let newest = books.entries.map(\.version).max() ?? 0
        if head.history != books.history || head.booksVersion < newest {
            await repeatAll(books.entries, organisation)
            return
        }
        state.withLock { state in
            guard var books = state.books[organisation], books.history == head.history else { return }
            let before = books.entries.count
            books.entries.removeAll { now - $0.made >= limits.memory }
            state.count -= before - books.entries.count
            state.books[organisation] = books
        }
    }

    private func repeatAll(_ entries: [Entry], _ organisation: String) async {
        logger.warning(
            "the ledger has lost writes: changes are repeated",
            metadata: ["organisation": "\(organisation)", "changes": "\(entries.count)"])
        for entry in entries {
            var change = entry.change
            // Versions are of the history that was lost.
            change.expectedVersion = nil
            do {
                let written = try await entry.command(ledger, change)
                state.withLock { state in
                    guard
                        let index = state.books[organisation]?.entries.firstIndex(where: { $0.number == entry.number })
                    else { return }
                    state.books[organisation]?.entries[index].version = written.version
                    state.books[organisation]?.entries[index].made = ContinuousClock.now
                }
            } catch let error as LedgerError where [.unavailable, .notDurable, .refused].contains(error.code) {
                // The next look begins again.
                return
            } catch {
                logger.error(
                    "a change cannot be repeated",
                    metadata: [
                        "organisation": "\(organisation)", "change": "\(entry.change.id)", "error": "\(error)",
                    ])
                state.withLock { state in
                    let before = state.books[organisation]?.entries.count ?? 0
                    state.books[organisation]?.entries.removeAll { $0.number == entry.number }
                    state.count -= before - (state.books[organisation]?.entries.count ?? 0)
                }
            }
        }
        // The repeats may have begun the new history themselves, so it is read after them.
        guard let history = try? await ledger.organisation(organisation).history else { return }
        state.withLock { $0.books[organisation]?.history = history }
    }
}
