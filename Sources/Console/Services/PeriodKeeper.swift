// Keeps enough calendar periods ahead of every budget, so that no midnight finds one without, and closes those that are
// over. Several consoles may do it at once: periods are written once, the same change has the same id everywhere, and a
// statement that is there is not written again.

import Ledger
import Logging
import QuotaCore
import ServiceLifecycle

struct PeriodKeeper: Service {
    let ledger: Ledger
    let logger: Logger
    var interval = Duration.seconds(300)

    func run() async throws {
        await cancelWhenGracefulShutdown {
            repeat { await self.round() } while (try? await Task.sleep(for: self.interval)) != nil
        }
    }

    /// How much is closed and trimmed of one organisation in a round, times what one call does.
    static let closingCalls = 200

    /// Looks at every budget once, and closes what is due.
    func round() async {
        do {
            for organisation in try await ledger.organisations() {
                if Task.isCancelled { return }
                await round(organisation)
                await close(organisation)
            }
        } catch {
            logger.debug("the organisations cannot be listed", metadata: ["error": "\(error)"])
        }
    }

    private func close(_ organisation: String) async {
        do {
            for _ in 0..<Self.closingCalls where !Task.isCancelled {
                guard try await ledger.closePeriods(organisation: organisation) else { return }
            }
        } catch {
            logger.warning(
                "periods cannot be closed", metadata: ["organisation": "\(organisation)", "error": "\(error)"])
        }
    }

    private func round(_ organisation: String) async {
        do {
            let now = try await ledger.organisation(organisation).now / 1000
            var cursor: String?
            repeat {
                let page = try await ledger.accounts(after: cursor, limit: 200, organisation: organisation)
                for account in page.items where !account.archived {
                    for budget in try await ledger.budgets(account: account.id, organisation: organisation) {
                        await extend(budget, account: account.id, now: now, organisation: organisation)
                    }
                }
                cursor = page.next
            } while cursor != nil && !Task.isCancelled
        } catch {
            logger.warning(
                "periods cannot be looked at", metadata: ["organisation": "\(organisation)", "error": "\(error)"])
        }
    }

    private func extend(_ budget: BudgetRow, account: String, now: Int64, organisation: String) async {
        let metadata: Logger.Metadata = [
            "organisation": "\(organisation)", "account": "\(account)", "budget": "\(budget.name)",
        ]
        do {
            let rule = try RecordCoding.decode(BudgetRecord.self, from: budget.record).period
            let stored = PeriodPlan.parse(budget.periods)
            let missing = PeriodPlan.missing(stored, rule, now: now)
            guard let last = stored.last, !missing.isEmpty else { return }
            if PeriodPlan.ahead(stored, now: now) < PeriodPlan.alarming {
                logger.error("a budget has nearly run out of periods", metadata: metadata)
            }
            let change = Change(
                id: "periods:\(budget.generation):\(last.end):\(missing.count)", actor: Actor.console,
                reason: "kept ahead")
            _ = try await ledger.extendPeriods(
                account: account, name: budget.name,
                periods: BudgetRecord.ledgerText(missing, every: rule.every), change: change,
                organisation: organisation)
        } catch {
            logger.error(
                "periods cannot be extended", metadata: metadata.merging(["error": "\(error)"]) { $1 })
        }
    }
}
