// What a cluster node says when a key is not its own.

/// `MOVED slot host:port` (the slot has another owner) or `ASK slot host:port` (this key has, for now).
struct Redirection: Sendable, Hashable {
    let isFinal: Bool
    let slot: Int
    let endpoint: RedisConfiguration.Endpoint

    /// Nil when the error is no redirection. An empty host stands for that of the node that answered.
    init?(_ text: String, from asked: RedisConfiguration.Endpoint?) {
        let words = text.split(separator: " ")
        guard words.count == 3, words[0] == "MOVED" || words[0] == "ASK", let slot = Int(words[1]),
            HashSlot.all.contains(slot), let colon = words[2].lastIndex(of: ":"),
            let port = Int(words[2][words[2].index(after: colon)...]), (1...65535).contains(port)
        else { return nil }
        var host = String(words[2][..<colon])
        if host.isEmpty {
            guard case .tcp(let name, _) = asked else { return nil }
            host = name
        }
        guard host != "?" else { return nil }
        isFinal = words[0] == "MOVED"
        self.slot = slot
        endpoint = .tcp(host: host, port: port)
    }
}
