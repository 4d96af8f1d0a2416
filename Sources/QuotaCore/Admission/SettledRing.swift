// The last settlements of a shard, so that a repeated commit gets the first answer.

/// The answer that a settled reservation got.
struct SettledAnswer {
    var charged: Amounts
    /// Ledger time of the end, ms.
    var at: Int64
    var late: Bool
    var overrun: Bool
    var released: Bool
}

/// A ring of answers, overwritten oldest first. Writing touches memory in order; looking one up scans the numbers, which
/// only a repeat needs. What was overwritten is not lost to the books: the ledger knows the number as counted.
struct SettledRing {
    private var numbers: [Int64]
    private var answers: [SettledAnswer]
    private var next = 0
    private let capacity: Int

    init(capacity: Int) {
        self.capacity = capacity
        numbers = []
        answers = []
    }

    mutating func append(_ number: Int64, _ answer: SettledAnswer) {
        if numbers.count < capacity {
            numbers.append(number)
            answers.append(answer)
        } else {
            numbers[next] = number
            answers[next] = answer
        }
        next = next + 1 == capacity ? 0 : next + 1
    }

    func find(_ number: Int64) -> SettledAnswer? {
        guard let place = numbers.lastIndex(of: number) else { return nil }
        return answers[place]
    }
}
