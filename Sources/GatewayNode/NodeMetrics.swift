// What a node counts, as metric families: the one place for their names.

import Ledger
import QuotaCore
import RedisClient
import Synchronization
import Telemetry

extension GatewayNode {
    /// The metrics of this node in the text exposition format.
    package func exposition() -> String { Exposition.text(metricFamilies()) }

    func metricFamilies() -> [MetricFamily] {
        let nodes = all.sorted { $0.organisation < $1.organisation }
        func each(_ value: (OrganisationNode) -> Int64) -> [Sample] {
            nodes.map { Sample(value($0), [("organisation", $0.organisation)]) }
        }
        let outcomes = nodes.flatMap { node in
            [Sample(node.counters.admitted.total, [("organisation", node.organisation), ("outcome", "admitted")])]
                + Refusal.Code.allCases.map { code in
                    Sample(
                        node.counters.refused(code).total,
                        [("organisation", node.organisation), ("outcome", code.rawValue)])
                }
        }
        let redis = redisStatistics
        return [
            MetricFamily("bursar_decisions_total", .counter, help: "Requests decided, by outcome.", outcomes),
            MetricFamily(
                "bursar_commits_total", .counter, help: "Reservations settled by their owner.",
                each { $0.counters.committed.total }),
            MetricFamily(
                "bursar_reservations_expired_total", .counter, help: "Reservations ended by their time to live.",
                each { $0.counters.expired.total }),
            MetricFamily(
                "bursar_reservations_open", .gauge, help: "Reservations that are open at this node.",
                each { Int64($0.openReservations) }),
            MetricFamily(
                "bursar_waits_total", .counter, help: "Requests that waited for a grant.",
                each { $0.counters.waits.total }),
            MetricFamily(
                "bursar_exchanges_total", .counter, help: "Exchanges sent to the ledger.",
                each { $0.counters.exchanges.total }),
            MetricFamily(
                "bursar_exchange_failures_total", .counter, help: "Exchanges without an answer.",
                each { $0.counters.exchangeFailures.total }),
            MetricFamily(
                "bursar_answer_age_seconds", .gauge, help: "Age of the newest answer of the ledger.",
                nodes.map { Sample($0.answerAge, [("organisation", $0.organisation)]) }),
            MetricFamily(
                "bursar_exposure", .gauge,
                help: "What may be overspent on the budgets in use here, by term; dollars, tokens or requests.",
                nodes.flatMap(\.exposureSamples)),
            MetricFamily(
                "bursar_commits_relayed_total", .counter, help: "Commits passed on to their owner.",
                each { $0.counters.relayed.total }),
            MetricFamily(
                "bursar_commits_by_ledger_total", .counter, help: "Commits settled through the ledger.",
                each { $0.counters.settledByLedger.total }),
            MetricFamily(
                "bursar_sessions_lost_total", .counter, help: "Sessions that the ledger ended.",
                each { $0.counters.sessionsLost.total }),
            MetricFamily(
                "bursar_news_reads_total", .counter, help: "Reads of the organisation's events.",
                each { $0.counters.newsReads.total }),
            MetricFamily(
                "bursar_rules_version", .gauge, help: "Version of the rules applied.",
                each { $0.rulesVersion.load(ordering: .relaxed) }),
            MetricFamily(
                "bursar_journal_lost_total", .counter, help: "Records that the journal had no room for.",
                journal.map { [Sample($0.lost.total)] } ?? []),
            MetricFamily(
                "bursar_journal_recovered_total", .counter,
                help: "Commits and releases of earlier lives that only the journal knew.",
                journal.map { [Sample($0.recovered.total)] } ?? []),
            MetricFamily(
                "bursar_redis_commands_total", .counter, help: "Commands sent to Redis.",
                [Sample(Int64(redis.commandsSent))]),
            MetricFamily(
                "bursar_redis_reconnects_total", .counter, help: "Connections to Redis made anew.",
                [Sample(Int64(redis.reconnects))]),
        ]
    }
}

extension OrganisationNode {
    var exposureSamples: [Sample] {
        let sums = state.withLock { $0.machine.exposure() }
        return BudgetUnit.allCases.flatMap { unit -> [Sample] in
            guard let sum = sums[unit] else { return [] }
            return [("above_limit", sum.aboveLimit), ("emergency", sum.emergency)].map { term, amount in
                Sample(
                    Double(amount) / (unit == .usd ? 1_000_000 : 1),
                    [("organisation", organisation), ("unit", unit.rawValue), ("term", term)])
            }
        }
    }

    /// Seconds since the newest answered message was sent; -1 before the first.
    var answerAge: Double {
        let at = session.answeredAt.load(ordering: .relaxed)
        return at == .min ? -1 : Double(clock.now() - at) / 1000
    }
}
