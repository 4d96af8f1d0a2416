// Units, their figures, and ids.

import QuotaCore
import Testing

@Suite("Units and ids")
struct UnitTests {
    @Test(
        "nano-dollars are rounded up to micro-dollars",
        arguments: [(0, 0), (1, 1), (999, 1), (1000, 1), (1001, 2)] as [(Int64, Int64)])
    func roundingUp(nano: Int64, micro: Int64) {
        #expect(BudgetUnit.usd.bookUnits(roundingUp: nano) == micro)
        #expect(BudgetUnit.tokens.bookUnits(roundingUp: nano) == nano)
    }

    @Test("the largest amounts fit in node units, and come back unchanged", arguments: BudgetUnit.allCases)
    func scaling(unit: BudgetUnit) {
        #expect(unit.bookUnits(roundingUp: unit.nodeUnits(Amount.maximum)) == Amount.maximum)
        #expect(unit.bookUnits(roundingUp: .max) > 0)
    }

    @Test("each unit has its own figure")
    func subscripts() {
        var amounts = Amounts.zero
        for (index, unit) in BudgetUnit.allCases.enumerated() { amounts[unit] = Int64(index + 1) }
        #expect(amounts == Amounts(tokens: 2, usd: 1, requests: 3))
        #expect(BudgetUnit.allCases.map { amounts[$0] } == [1, 2, 3])
    }

    @Test("ids begin with a letter or digit and have at most 63 of [a-z0-9._-]")
    func identifiers() {
        for valid in ["a", "0", "search", "monthly-usd", "a.b_c-d", String(repeating: "x", count: 63)] {
            #expect(Identifier.isValid(valid), "\(valid)")
        }
        for invalid in [
            "", ".a", "-a", "_a", "A", "a b", "ä", "a/b", "a{b}", "a\n", "a\0", String(repeating: "x", count: 64),
        ] {
            #expect(!Identifier.isValid(invalid), "\(invalid)")
        }
    }
}
