// The table says at a glance which fault broke something, and below what.

import Chaos
import Testing

@Suite("The table of a run")
struct ResultTableTests {
    @Test("Columns are in line, and complaints stand below")
    func table() {
        var held = StageResult(fault: "kill")
        held.injected = 3
        held.counts.admitted = 1200
        held.counts.refused = 34
        held.longestGap = .milliseconds(1250)
        held.doubt.see(120)
        var broken = StageResult(fault: "a-long-name")
        broken.finding.lost = 7
        broken.complaints = ["G7 search: 7 are lost"]
        let lines = ResultTable.text([held, broken]).split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.count == 5)
        #expect(lines[0].hasPrefix("fault        times  decisions"))
        #expect(lines[1].hasPrefix("kill             3       1234"))
        #expect(lines[1].hasSuffix("120        1.3 s  held"))
        #expect(lines[2].hasPrefix("a-long-name      0          0"))
        #expect(lines[2].hasSuffix("BROKEN"))
        #expect(lines[4] == "a-long-name: G7 search: 7 are lost")
    }

    @Test("Every fault has a name of its own, and unknown names are refused")
    func names() throws {
        #expect(Set(Fault.all.map(\.name)).count == Fault.all.count)
        #expect(try Fault.named(["pause", "kill"]).map(\.name) == ["kill", "pause"])
        #expect(try Fault.named([]).count == Fault.all.count)
        #expect(throws: ChaosFailure.self) { try Fault.named(["nothing"]) }
    }
}
