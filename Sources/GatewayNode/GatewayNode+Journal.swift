// The journal's life in a node: told at the start what earlier lives knew, removed at the end when all is told.

import Ledger
import Logging

extension GatewayNode {
    /// Tells the ledger what earlier lives left in the journal; tries until it is told or the node shuts down.
    func recover(_ journal: Journal) async {
        guard !journal.past.files.isEmpty else { return }
        let recovery = JournalRecovery(
            ledger: ledger, past: journal.past, settlementTime: configuration.settlementTime, logger: logger)
        var left = journal.past.sessions.keys.sorted { ($0.organisation, $0.session) < ($1.organisation, $1.session) }
        while !left.isEmpty {
            var failed: [JournalPast.Name] = []
            for name in left {
                do {
                    let count = try await recovery.tell(name)
                    journal.recovered.add(count)
                    logger.info(
                        "journal told", metadata: ["session": "\(name.session)", "settlements": "\(count)"])
                } catch {
                    failed.append(name)
                    logger.warning(
                        "journal not told yet", metadata: ["session": "\(name.session)", "error": "\(error)"])
                }
            }
            left = failed
            if left.isEmpty { break }
            for _ in 0..<5 {
                if isStopping || Task.isCancelled { return }
                try? await Task.sleep(for: .milliseconds(200))
            }
        }
        journal.forgetPast()
    }

    func startJournal(_ journal: Journal) {
        journal.start(
            holds: { [weak self] in self?.all.flatMap(\.openRecords) ?? [] },
            isTold: { [weak self] time in self?.all.allSatisfy { $0.hasTold(time) } ?? false })
    }
}
