// Why a run could not go on. A broken guarantee is not this: it is a result.

/// The surroundings are not as a run needs them.
package struct ChaosFailure: Error, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }
}

/// Asks until a condition holds. Failures to ask count as no.
///
/// - Throws: ``ChaosFailure`` after `limit`, or when cancelled.
func patiently(
    _ what: String, within limit: Duration = .seconds(30), _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + limit
    while ContinuousClock.now < deadline {
        if (try? await condition()) == true { return }
        try await Task.sleep(for: .milliseconds(50))
    }
    throw ChaosFailure("waited in vain: \(what)")
}
