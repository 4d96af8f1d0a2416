// One kind of fault: what it needs, and what it does to a running installation.

import ProcessSupport
import TestSupport

/// A fault that a stage injects several times, each time with other choices of the seed.
package struct Fault: Sendable {
    /// On the command line and in the table.
    package let name: String
    let store: StoreKind
    /// Does it, waits, undoes it, and says in a few words what it did.
    let inject: @Sendable (Stack, ClientRecord, inout SplitMix) async throws -> String

    /// In the order in which they run.
    package static let all: [Fault] = gateways + links + servers + disks + topologies

    /// - Throws: ``ChaosFailure`` when a name is unknown.
    package static func named(_ names: [String]) throws -> [Fault] {
        for name in names where !all.contains(where: { $0.name == name }) {
            throw ChaosFailure("no fault is called '\(name)'; there are \(all.map(\.name).joined(separator: ", "))")
        }
        return names.isEmpty ? all : all.filter { names.contains($0.name) }
    }
}

/// The time that a fault lasts, chosen anew each time, in milliseconds.
func pause(_ range: ClosedRange<Int>, using chance: inout SplitMix) async throws -> String {
    let time = Int.random(in: range, using: &chance)
    try await Task.sleep(for: .milliseconds(time))
    return "\(time) ms"
}
