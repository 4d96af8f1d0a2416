// The judge of the chaos runs finds what is wrong, and accuses nobody of what a fault explains.

import Chaos
import Testing

@Suite("The judge of a run")
struct JudgeTests {
    private static let start = ContinuousClock.now

    private func books(
        allowance: Int64 = 1000, spent: Int64, leased: Int64 = 0, inDoubt: Int64 = 0, off: Int64 = 0
    ) -> Reading {
        Reading(
            account: "search", allowance: allowance, available: allowance - spent - leased - inDoubt + off,
            spent: spent, leased: leased, inDoubt: inDoubt)
    }

    private func story(
        hold: Int64 = 10, actual: Int64 = 10, life: Int = 1, _ state: Conversation.State
    ) -> Conversation {
        Conversation(account: "search", gateway: 0, life: life, hold: hold, actual: actual, state: state)
    }

    private func tally(_ stories: [Conversation], deaths: [Death] = [], charges: Bool = true) -> Tally {
        Tally(
            stories, accounts: ["search"], deaths: deaths, charges: charges, now: Self.start + .seconds(60))
    }

    private func finding(
        _ books: Reading, _ tally: Tally, isOver: Bool = false, mayDoubt: Bool = false
    ) -> Finding {
        Judge.finding(books, tally, isOver: isOver, mayDoubt: mayDoubt)
    }

    private let committed = Conversation.State.committed(asked: JudgeTests.start, at: JudgeTests.start)

    @Test("What was acknowledged and is spent is right, also beyond the hold")
    func right() {
        let tally = tally([story(committed), story(hold: 10, actual: 14, committed)])
        #expect(finding(books(spent: 24), tally, isOver: true).broken == [])
    }

    @Test("A commit that the books do not know is lost, even when other money is in doubt")
    func lost() {
        let tally = tally([story(committed), story(committed)])
        #expect(finding(books(spent: 10), tally).lost == 10)
        #expect(finding(books(spent: 10, inDoubt: 500), tally, mayDoubt: true).lost == 10)
    }

    @Test("What an owner counted just before it was killed may be in doubt, and nowhere else")
    func doubt() {
        let death = Death(gateway: 0, life: 1, at: Self.start + .milliseconds(300))
        let tally = tally([story(committed)], deaths: [death])
        #expect(finding(books(spent: 0, inDoubt: 10), tally, mayDoubt: true).broken == [])
        #expect(finding(books(spent: 10), tally, mayDoubt: true).broken == [])
        #expect(finding(books(spent: 0, inDoubt: 9), tally, mayDoubt: true).lost == 1)
    }

    @Test("What an owner counted long before it was killed, or in its next life, is in the books")
    func noDoubt() {
        let late = Death(gateway: 0, life: 1, at: Self.start + .seconds(5))
        #expect(
            finding(books(spent: 0, inDoubt: 10), tally([story(committed)], deaths: [late]), mayDoubt: true).lost == 10)
        let soon = Death(gateway: 0, life: 1, at: Self.start + .milliseconds(300))
        let next = tally([story(life: 2, committed)], deaths: [soon])
        #expect(finding(books(spent: 0, inDoubt: 10), next, mayDoubt: true).lost == 10)
    }

    @Test("What others took after the owner's death is in the books, whatever else is in doubt")
    func afterDeath() {
        let death = Death(gateway: 0, life: 1, at: Self.start - .milliseconds(200))
        let tally = tally([story(committed)], deaths: [death])
        #expect(finding(books(spent: 0, inDoubt: 500), tally, mayDoubt: true).lost == 10)
    }

    @Test("A commit that is counted twice is found")
    func twice() {
        #expect(finding(books(spent: 20), tally([story(committed)])).doubled == 10)
    }

    @Test("An unanswered commit may be counted or not")
    func unanswered() {
        let tally = tally([story(.unanswered)])
        for spent: Int64 in [0, 10] { #expect(finding(books(spent: spent), tally).broken == []) }
        #expect(finding(books(spent: 11), tally).doubled == 1)
    }

    @Test("An abandoned hold is charged when it has expired, unless the budget releases it")
    func abandoned() {
        let stories = [story(.abandoned(until: Self.start))]
        #expect(finding(books(spent: 10), tally(stories)).broken == [])
        #expect(finding(books(spent: 0), tally(stories)).lost == 10)
        #expect(finding(books(spent: 0), tally(stories, charges: false)).broken == [])
        #expect(finding(books(spent: 10), tally(stories, charges: false)).doubled == 10)
    }

    @Test("Spending beyond the allowance is allowed as far as clients used more than they held")
    func overspend() {
        let over = tally([story(hold: 10, actual: 14, committed)])
        #expect(finding(books(allowance: 10, spent: 14), over).broken == [])
        let beyond = finding(books(allowance: 9, spent: 14), over)
        #expect(beyond.overspend == 5)
        #expect(beyond.beyondExposure == 1)
        #expect(!beyond.broken.isEmpty)
    }

    @Test("Overspending that the books hide is seen by what clients were told")
    func hiddenOverspend() {
        let tally = tally([story(committed), story(committed)])
        #expect(finding(books(allowance: 10, spent: 10), tally).beyondExposure == 10)
    }

    @Test("Books that do not add up, leases after all goodbyes and doubt without a death are complaints")
    func others() {
        let tally = tally([story(committed)])
        #expect(!finding(books(spent: 10, off: 1), tally).broken.isEmpty)
        #expect(finding(books(spent: 10, leased: 5), tally).broken.isEmpty)
        #expect(!finding(books(spent: 10, leased: 5), tally, isOver: true).broken.isEmpty)
        #expect(!finding(books(spent: 10, inDoubt: 5), tally, isOver: true).broken.isEmpty)
        #expect(finding(books(spent: 10, inDoubt: 5), tally, isOver: true, mayDoubt: true).broken.isEmpty)
    }

    @Test("The doubt's most, what was resolved of it, and what is left")
    func watch() {
        var doubt = DoubtWatch()
        for amount: Int64 in [0, 50, 80, 30, 40, 10] { doubt.see(amount) }
        #expect(doubt.peak == 80)
        #expect(doubt.resolved == 80)
        #expect(doubt.last == 10)
    }
}
