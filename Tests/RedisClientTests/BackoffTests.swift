// How the pauses between attempts to connect grow.

import Testing

@testable import RedisClient

@Suite("The back-off")
struct BackoffTests {
    @Test("Pauses double from the least to the most, each between half and all of its step; a reset starts again")
    func doubling() {
        var backoff = Backoff(min: .milliseconds(10), max: .milliseconds(100))
        var generator = SystemRandomNumberGenerator()
        for round in 1...2 {
            for step in [10, 20, 40, 80, 100, 100, 100] {
                let pause = backoff.next(using: &generator)
                #expect(pause >= .milliseconds(step) / 2 && pause <= .milliseconds(step), "round \(round)")
            }
            backoff.reset()
        }
        for _ in 1...1000 { #expect(backoff.next(using: &generator) <= .milliseconds(100)) }
    }

    @Test("Many clients don't pause equally long")
    func jitter() {
        var generator = SystemRandomNumberGenerator()
        let pauses = (1...20).map { _ in
            var backoff = Backoff(min: .seconds(1), max: .seconds(1))
            return backoff.next(using: &generator)
        }
        #expect(Set(pauses).count > 10)
    }
}
