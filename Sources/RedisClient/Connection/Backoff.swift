// How long to wait before the next attempt to connect: doubling, with jitter so that many clients don't come at once.

struct Backoff: Sendable {
    let min: Duration
    let max: Duration
    private var attempt = 0

    init(min: Duration, max: Duration) {
        self.min = min
        self.max = max
    }

    /// A random pause between half and all of the current step; the step doubles up to `max`.
    mutating func next(using generator: inout some RandomNumberGenerator) -> Duration {
        let step = Swift.min(max, min * (1 << attempt))
        if step < max { attempt += 1 }
        return step * Double.random(in: 0.5...1, using: &generator)
    }

    /// The next pause is short again.
    mutating func reset() { attempt = 0 }
}
