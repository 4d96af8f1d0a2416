// What many of these tests expect in the end.

import ProcessSupport
import Testing

extension Installation {
    /// A command that must end with the exit code 1.
    func fail(_ arguments: String...) async throws {
        let result = try await Program.run(arguments)
        #expect(result.code == 1, "\(result)")
    }

    /// `bursar check` has nothing to say.
    func expectRightBooks(_ location: SourceLocation = #_sourceLocation) async throws {
        let check = try await run("check")
        #expect(check.code == 0, "\(check)", sourceLocation: location)
    }

    /// A command that must succeed.
    @discardableResult
    func succeed(_ arguments: String..., location: SourceLocation = #_sourceLocation) async throws -> Program.Result {
        let result = try await Program.run(
            arguments, environment: ["BURSAR_TOKEN": Self.adminToken, "BURSAR_SERVER": console])
        #expect(result.code == 0, "\(arguments): \(result)", sourceLocation: location)
        return result
    }
}
