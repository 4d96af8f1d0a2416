// What is open, in the form that it is parked and journaled in.

extension ReservationTable {
    /// The hold of a reservation; nil when it is not open.
    package func openHold(_ number: Int64) -> ParkedHold? {
        shard(of: number).locked { state in
            state.entries[number].flatMap { $0.state == .open ? SessionMachine.park(number, $0) : nil }
        }
    }

    /// All holds, one shard after the other.
    package func openHolds() -> [ParkedHold] {
        shards.flatMap { shard in
            shard.locked { state in
                state.entries.compactMap { $0.value.state == .open ? SessionMachine.park($0.key, $0.value) : nil }
            }
        }
    }
}
