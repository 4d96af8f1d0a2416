// Compares the books of one budget with what its clients know. Pure, so that a test can show that it finds what is wrong.

import BursarCommands

/// A budget's books as the console shows them, in tokens.
package struct Reading: Sendable, Hashable {
    package var account: String
    package var allowance: Int64
    package var available: Int64
    package var spent: Int64
    package var leased: Int64
    package var inDoubt: Int64

    package init(account: String, allowance: Int64, available: Int64, spent: Int64, leased: Int64, inDoubt: Int64) {
        (self.account, self.allowance, self.available) = (account, allowance, available)
        (self.spent, self.leased, self.inDoubt) = (spent, leased, inDoubt)
    }

    init(_ account: String, _ live: JSONValue) throws {
        func figure(_ name: String) throws -> Int64 {
            guard let value = live[name].flatMap({ Int64($0.text) }) else {
                throw ChaosFailure("no \(name) in \(live.compact)")
            }
            return value
        }
        try self.init(
            account: account, allowance: figure("allowance"), available: figure("available"), spent: figure("spent"),
            leased: figure("leased"), inDoubt: figure("in_doubt"))
    }

    package var addsUp: Bool { allowance == available + spent + leased + inDoubt }
}

/// What a comparison comes to.
package struct Finding: Sendable, Hashable {
    /// Spent beyond the allowance.
    package var overspend: Int64 = 0
    /// Of that, more than clients used beyond their holds.
    package var beyondExposure: Int64 = 0
    /// Acknowledged commits that are in the books neither as spent nor in doubt.
    package var lost: Int64 = 0
    /// Spent without anybody having used it.
    package var doubled: Int64 = 0
    /// Broken guarantees in words.
    package var broken: [String] = []

    package init() {}

    package mutating func merge(_ other: Finding) {
        overspend = max(overspend, other.overspend)
        beyondExposure = max(beyondExposure, other.beyondExposure)
        lost = max(lost, other.lost)
        doubled = max(doubled, other.doubled)
        broken += other.broken
    }
}

package enum Judge {
    /// - Parameters:
    ///   - isOver: all gateways have said goodbye: nothing may be leased any more.
    ///   - mayDoubt: whether a gateway was killed; else all of the doubt must have been resolved at the end.
    package static func finding(_ books: Reading, _ tally: Tally, isOver: Bool, mayDoubt: Bool) -> Finding {
        var finding = Finding()
        func require(_ holds: Bool, _ guarantee: String, _ text: String) {
            if !holds { finding.broken.append("\(guarantee) \(books.account): \(text)") }
        }
        // What clients were told counts even if the books don't know it.
        finding.overspend = max(0, max(books.spent, tally.acknowledged) - books.allowance)
        finding.beyondExposure = max(0, finding.overspend - tally.overrun)
        finding.lost = max(0, tally.least - books.spent, tally.counted - books.spent - books.inDoubt)
        finding.doubled = max(0, books.spent - tally.most)
        require(books.addsUp, "G1", "\(books)")
        require(
            finding.beyondExposure == 0, "G3",
            "overspent by \(finding.overspend), clients used \(tally.overrun) beyond their holds")
        require(
            finding.lost == 0, "G7",
            "\(finding.lost) of acknowledged commits or expired holds are not in the books; spent \(books.spent), in "
                + "doubt \(books.inDoubt), \(tally)")
        require(
            finding.doubled == 0, "G7",
            "\(finding.doubled) are spent that nobody used; spent \(books.spent), \(tally)")
        if isOver {
            require(books.leased == 0, "G7", "\(books.leased) are still leased after all goodbyes")
            require(mayDoubt || books.inDoubt == 0, "G7", "\(books.inDoubt) are in doubt although no gateway died")
        }
        return finding
    }
}
