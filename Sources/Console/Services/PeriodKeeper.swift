// Keeps enough calendar periods ahead of every budget, so that no midnight finds one without. Several consoles may do it
// at once: periods are written once, and the same change has the same id everywhere.

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

    /// Looks at every budget once.
    func round() async {
        do {
            for organisation in try await ledger.organisations() {
                if Task.isCancelled { return }
                await round(organisation)
            }
        } catch {
            logger.debug("the organisations cannot be listed", metadata: ["error": "\(error)"])
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
