// The one message between a session and the ledger, and its answer, as values.

/// What one lease reports and wants. Amounts in book units.
package struct LeaseReport: Sendable, Hashable {
    package var key: LeaseKey
    package var granted: Int64
    package var used: Int64
    package var returned: Int64
    /// Cumulative target of `granted`; not above `granted` when nothing is wanted.
    package var want: Int64
    /// Recent demand, book units in two seconds.
    package var demand: Int64
    /// Newest recall round that this report answers.
    package var answered: Int64
}

/// What one waiting request lacks of one lease.
package struct Need: Sendable, Hashable {
    package var key: LeaseKey
    /// Book units beyond what the session held when the message was made.
    package var amount: Int64
    /// Below which ceiling of the ladder it must fit, 0 the lowest.
    package var level: Int
    /// One request is taken from the rate of the throttle at `level - 1`.
    package var token: Bool
}

/// A hold left open at goodbye, which the ledger settles by the budget's rule when it expires.
package struct ParkedHold: Sendable, Hashable {
    package struct Part: Sendable, Hashable {
        package var key: LeaseKey
        /// Book units, rounded up.
        package var amount: Int64

        package init(key: LeaseKey, amount: Int64) {
            self.key = key
            self.amount = amount
        }
    }
    package var number: Int64
    /// Ledger time, ms.
    package var expiresAt: Int64
    package var charges: Bool
    package var parts: [Part]

    package init(number: Int64, expiresAt: Int64, charges: Bool, parts: [Part]) {
        self.number = number
        self.expiresAt = expiresAt
        self.charges = charges
        self.parts = parts
    }
}

package struct ExchangeMessage: Sendable, Hashable {
    package var session: String
    package var number: Int64
    package var history: String
    package var seq: Int64
    package var rulesVersion: Int64
    package var goodbye: Bool
    package var next: Int64
    package var opened: [Int64]
    package var closed: [Int64]
    /// Still open for a late commit, but their hold was charged when they expired.
    package var expired: [Int64]
    package var parked: [ParkedHold]
    package var leases: [LeaseReport]
    /// One group a waiting request: granted all or none. Every lease named here is in `leases`.
    package var groups: [[Need]]

    package init(
        session: String, number: Int64, history: String, seq: Int64, rulesVersion: Int64, goodbye: Bool, next: Int64,
        opened: [Int64], closed: [Int64], expired: [Int64], parked: [ParkedHold], leases: [LeaseReport],
        groups: [[Need]]
    ) {
        self.session = session
        self.number = number
        self.history = history
        self.seq = seq
        self.rulesVersion = rulesVersion
        self.goodbye = goodbye
        self.next = next
        self.opened = opened
        self.closed = closed
        self.expired = expired
        self.parked = parked
        self.leases = leases
        self.groups = groups
    }

    /// Limits of one message.
    package static let maximumLeases = 128
    package static let maximumGroups = 64
    package static let maximumParked = 200
}

package enum GroupAnswer: Sendable, Hashable {
    case granted
    /// A recall is under way: ask again when it is over.
    case wait
    /// Does not fit: the needs at these places of the group.
    case refused([LeaseKey])
    case throttled(milliseconds: Int64)
    case recovering
    /// The period is over or the budget is gone: look the account up anew.
    case closed
}

package struct LeaseAnswer: Sendable, Hashable {
    package var key: LeaseKey
    package var granted: Int64
    package var committed: Int64
    package var spent: Int64
    package var doubt: Int64
    package var allowance: Int64
    package var limit: Int64
    package var ceilings: [Ceiling]
    /// The most the session may keep idle.
    package var slack: Int64
    /// Recall round under way, 0 for none.
    package var recall: Int64
    package var floors: [Int: Int64]
    /// End of the period, seconds.
    package var end: Int64
    package var reached: Int

    package init(
        key: LeaseKey, granted: Int64, committed: Int64, spent: Int64, doubt: Int64, allowance: Int64, limit: Int64,
        ceilings: [Ceiling], slack: Int64, recall: Int64, floors: [Int: Int64], end: Int64, reached: Int
    ) {
        self.key = key
        self.granted = granted
        self.committed = committed
        self.spent = spent
        self.doubt = doubt
        self.allowance = allowance
        self.limit = limit
        self.ceilings = ceilings
        self.slack = slack
        self.recall = recall
        self.floors = floors
        self.end = end
        self.reached = reached
    }
}

/// A commit that another node took for a reservation of this session. Charges in book units.
package struct InboxEntry: Sendable, Hashable {
    package struct Part: Sendable, Hashable {
        package var key: LeaseKey
        package var charge: Int64

        package init(key: LeaseKey, charge: Int64) {
            self.key = key
            self.charge = charge
        }
    }
    package var number: Int64
    package var parts: [Part]

    package init(number: Int64, parts: [Part]) {
        self.number = number
        self.parts = parts
    }
}

package struct ExchangeAnswer: Sendable, Hashable {
    /// Ledger time, ms.
    package var now: Int64
    package var history: String
    package var seq: Int64
    package var rulesVersion: Int64
    /// Time to live of a session, ms.
    package var timeToLive: Int64
    package var recoveringUntil: Int64
    package var sessions: Int64
    package var over: Bool
    /// Goodbye is complete.
    package var ended: Bool
    package var inbox: [InboxEntry]
    package var leases: [LeaseAnswer]
    package var groups: [GroupAnswer]

    package init(
        now: Int64, history: String, seq: Int64, rulesVersion: Int64, timeToLive: Int64, recoveringUntil: Int64,
        sessions: Int64, over: Bool, ended: Bool, inbox: [InboxEntry], leases: [LeaseAnswer], groups: [GroupAnswer]
    ) {
        self.now = now
        self.history = history
        self.seq = seq
        self.rulesVersion = rulesVersion
        self.timeToLive = timeToLive
        self.recoveringUntil = recoveringUntil
        self.sessions = sessions
        self.over = over
        self.ended = ended
        self.inbox = inbox
        self.leases = leases
        self.groups = groups
    }
}
