// A whole installation for one stage: the store, a console beside it, gateways behind links, and an organisation.

import BursarCommands
import Foundation
import NIOCore
import NIOHTTP1
import ProcessSupport
import Synchronization

final class Stack: Sendable {
    /// Engineering charges what is abandoned, research releases it; both have far more than a stage spends.
    static let file = """
        organisation: {id: default, timezone: UTC, unpriced: free}
        accounts:
        - id: engineering
          parent: default
          budgets: {tokens: {unit: tokens, amount: 1000000000, period: {every: month}}}
        - id: search
          parent: engineering
        - id: research
          parent: default
          budgets: {tokens: {unit: tokens, amount: 1000000000, period: {every: month}, abandoned: release}}
        - id: lab
          parent: research
        """

    let store: any Store
    let gateways: [GatewayPlace]
    /// A proxy key of the root.
    let key: String
    private let console: ServerChild
    let folder: String

    var consoleURL: String { console.url }

    /// The store, of the kind that a fault needs.
    func store<S: Store>(as kind: S.Type) throws -> S {
        guard let store = store as? S else { throw ChaosFailure("this fault needs a \(kind)") }
        return store
    }

    static func start(_ kind: StoreKind, gateways count: Int) async throws -> Stack {
        let folder = "/tmp/bursar-chaos-\(UInt64.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        var store: (any Store)?
        var console: ServerChild?
        var places: [GatewayPlace] = []
        do {
            let books = try await kind.start(in: folder)
            store = books
            let server = try await ServerChild.start(
                "console",
                ["console", "--create-organisation", "default", "--redis", books.url, "--listen", "127.0.0.1:0"],
                log: "\(folder)/console.log", environment: ["BURSAR_ADMIN_TOKEN": Installation.adminToken])
            console = server
            try file.write(toFile: folder + "/org.yaml", atomically: true, encoding: .utf8)
            try await run(server, "apply", "-f", folder + "/org.yaml")
            let key = try await run(server, "key", "create", "default", "--name", "load", "--role", "proxy", "--quiet")
            for number in 1...count {
                places.append(try await GatewayPlace(name: "g\(number)", store: books, folder: folder))
            }
            try await withThrowingTaskGroup { group in
                for place in places { group.addTask { try await place.start() } }
                try await group.waitForAll()
            }
            return Stack(books, places, key.trimmingCharacters(in: .whitespacesAndNewlines), server, folder)
        } catch {
            for place in places { place.end() }
            console?.process.kill()
            await store?.end()
            try? FileManager.default.removeItem(atPath: folder)
            throw error
        }
    }

    private init(
        _ store: any Store, _ gateways: [GatewayPlace], _ key: String, _ console: ServerChild, _ folder: String
    ) {
        (self.store, self.gateways, self.key, self.console, self.folder) = (store, gateways, key, console, folder)
    }

    @discardableResult
    private static func run(_ console: ServerChild, _ arguments: String...) async throws -> String {
        let result = try await Program.run(
            arguments, environment: ["BURSAR_TOKEN": Installation.adminToken, "BURSAR_SERVER": console.url])
        guard result.code == 0 else { throw ChaosFailure("bursar \(arguments.joined(separator: " ")): \(result)") }
        return result.output
    }

    /// At once, however the stage went. With `keepingLogs` the folder stays, and is told.
    func end(keepingLogs: Bool) async {
        for gateway in gateways { gateway.end() }
        console.process.kill()
        await store.end()
        if !keepingLogs { try? FileManager.default.removeItem(atPath: folder) }
    }

    // MARK: The console

    func consoleAnswer(_ method: HTTPMethod, _ path: String, _ body: String? = nil) async throws -> Answer {
        try await Answer.to(method, consoleURL + path, key: Installation.adminToken, body, within: .seconds(5))
    }

    /// A new account below engineering whose own budget is soon exhausted.
    func addTightAccount(_ id: String, amount: Int64) async throws {
        let account = try await consoleAnswer(
            .PUT, "/api/v1/accounts/\(id)", #"{"name":"\#(id)","parent":"engineering"}"#)
        let budget = try await consoleAnswer(
            .PUT, "/api/v1/accounts/\(id)/budgets/tokens",
            #"{"unit":"tokens","amount":\#(amount),"period":{"every":"month"}}"#)
        guard account.status == 201, budget.status == 201 else {
            throw ChaosFailure("the console does not make \(id): \(account), \(budget)")
        }
    }
}
