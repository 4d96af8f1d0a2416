// Remembers the answers to POSTs under their Idempotency-Key, in this process, so that a retry changes nothing twice.
// An answer is remembered when it changed something (2xx, but not 202); a refusal changed nothing and is decided anew.

import Crypto
import HTTPTypes
import HummingbirdCore
import NIOCore
import Synchronization

package final class IdempotencyStore: Sendable {
    package struct Limits: Sendable {
        package var entries = 100_000
        package var bytes = 64 << 20
        package var keyBytes = 255

        package init() {}
    }

    /// 24 hours: how long an answer is kept unless the operation says otherwise.
    package static let day = Duration.seconds(86_400)

    private struct Key: Hashable {
        var credential: String
        var operation: String
        var key: String
    }

    private struct Entry {
        var number: UInt64
        var bodyHash: SHA256Digest
        /// Nil while the first request still runs.
        var answer: Answer?
        var expires: ContinuousClock.Instant
        var bytes: Int
    }

    private struct State {
        var entries: [Key: Entry] = [:]
        /// Keys in order of arrival, with the number of their entry: the oldest go first. Those before `first` are gone.
        var order: [(number: UInt64, key: Key)] = []
        var first = 0
        var nextNumber: UInt64 = 0
        var bytes = 0
    }

    private enum Claim {
        case mine(UInt64)
        case replay(Answer)
        case otherBody
        case running
    }

    private let limits: Limits
    private let state = Mutex(State())

    package init(limits: Limits = Limits()) { self.limits = limits }

    /// Runs the operation once per key. Without the header it simply runs.
    /// - Parameters:
    ///   - credential: who asks: two callers never share a key.
    ///   - keep: how long the answer counts, from when it is given.
    /// - Throws: 409 `idempotency_key_in_use` while the first request runs, 422 `idempotency_key_reused` for another
    ///   body, 422 for a malformed key; and what the operation throws.
    package func run(
        _ call: Call, credential: @autoclosure () -> String, body: ByteBuffer,
        keep: (Answer) -> Duration = { _ in IdempotencyStore.day }, _ operation: () async throws -> Answer
    ) async throws -> Answer {
        guard let word = call.headers[.idempotencyKey] else { return try await operation() }
        guard (1...limits.keyBytes).contains(word.utf8.count), word.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw Problem.invalid(
                "header:idempotency-key", "must have 1 to \(limits.keyBytes) printable characters without spaces")
        }
        let key = Key(credential: credential(), operation: "\(call.request.method.rawValue) \(call.target)", key: word)
        switch claim(key, hash: body.withUnsafeReadableBytes { SHA256.hash(data: $0) }) {
        case .replay(var answer):
            answer.headers[.idempotentReplayed] = "true"
            return answer
        case .otherBody:
            throw Problem(
                .unprocessableContent, code: "idempotency_key_reused",
                detail: "This Idempotency-Key was used with another body.")
        case .running:
            throw Problem.conflict("The first request with this key still runs.", code: "idempotency_key_in_use")
        case .mine(let number):
            do {
                let answer = try await operation()
                settle(key, number, answer, keep: keep(answer))
                return answer
            } catch {
                settle(key, number, nil, keep: .zero)
                throw error
            }
        }
    }

    /// Places in the order of age, those of keys that are gone included.
    package var places: Int { state.withLock { $0.order.count - $0.first } }

    private func claim(_ key: Key, hash: SHA256Digest) -> Claim {
        let now = ContinuousClock.now
        return state.withLock { state in
            if let entry = state.entries[key], entry.answer == nil || entry.expires > now {
                if entry.bodyHash != hash { return .otherBody }
                return entry.answer.map { .replay($0) } ?? .running
            }
            remove(key, &state)
            let number = state.nextNumber
            state.nextNumber += 1
            // A key's own text and the bookkeeping around it count too.
            let bytes = key.credential.utf8.count + key.operation.utf8.count + key.key.utf8.count + 256
            state.entries[key] = Entry(number: number, bodyHash: hash, answer: nil, expires: now, bytes: bytes)
            state.order.append((number, key))
            state.bytes += bytes
            evict(&state)
            return .mine(number)
        }
    }

    private func settle(_ key: Key, _ number: UInt64, _ answer: Answer?, keep: Duration) {
        state.withLock { state in
            // Under pressure the entry may have been dropped, or made anew by a later request.
            guard var entry = state.entries[key], entry.number == number else { return }
            let status = answer?.status.code ?? 0
            guard let answer, answer.stream == nil, (200..<300).contains(status), status != 202 else {
                remove(key, &state)
                return
            }
            entry.answer = answer
            entry.expires = ContinuousClock.now + keep
            entry.bytes += answer.body.readableBytes + 256
            state.bytes += answer.body.readableBytes + 256
            state.entries[key] = entry
            evict(&state)
        }
    }

    private func remove(_ key: Key, _ state: inout State) {
        if let gone = state.entries.removeValue(forKey: key) { state.bytes -= gone.bytes }
    }

    /// Drops the oldest while there are too many, and what has expired. Keys that are gone leave the order here as well,
    /// also from behind one that stays.
    private func evict(_ state: inout State) {
        let now = ContinuousClock.now
        while state.first < state.order.count {
            let oldest = state.order[state.first]
            let entry = state.entries[oldest.key]
            let stale = entry?.number != oldest.number
            let expired = entry.map { $0.answer != nil && $0.expires <= now } ?? true
            guard stale || expired || state.entries.count > limits.entries || state.bytes > limits.bytes else { break }
            if !stale { remove(oldest.key, &state) }
            state.first += 1
        }
        if state.order.count > 2 * state.entries.count + 1024 {
            state.order = state.order[state.first...].filter { state.entries[$0.key]?.number == $0.number }
            state.first = 0
        }
    }
}
