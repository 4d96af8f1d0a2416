// Which slot of a cluster a key or channel belongs to, and which word of a command is its key.

/// The hash slots of a Redis Cluster (cluster specification, "Key distribution model").
enum HashSlot {
    static let all = 0..<16_384

    /// CRC-16/XMODEM of the key, or of what stands between its first `{` and the next `}` unless that is nothing.
    static func of(_ key: String) -> Int {
        var bytes = Array(key.utf8)[...]
        if let open = bytes.firstIndex(of: UInt8(ascii: "{")) {
            let rest = bytes[(open + 1)...]
            if let close = rest.firstIndex(of: UInt8(ascii: "}")), close > open + 1 { bytes = rest[..<close] }
        }
        var crc: UInt16 = 0
        for byte in bytes {
            crc ^= UInt16(byte) << 8
            for _ in 0..<8 { crc = crc & 0x8000 == 0 ? crc << 1 : (crc << 1) ^ 0x1021 }
        }
        return Int(crc) % all.count
    }

    /// The slot that a command belongs to; nil when it has no key and any primary will do. All keys of a command must be
    /// of one slot, so the first decides: that of a script is behind their number, any other is the second word.
    static func of(_ arguments: [String]) -> Int? {
        let name = arguments[0].uppercased()
        switch name {
        case "EVAL", "EVALSHA", "EVAL_RO", "EVALSHA_RO", "FCALL", "FCALL_RO":
            guard arguments.count > 3, arguments[2] != "0" else { return nil }
            return of(arguments[3])
        default:
            guard arguments.count > 1, !keyless.contains(name) else { return nil }
            return of(arguments[1])
        }
    }

    private static let keyless: Set<String> = [
        "ACL", "CLIENT", "CLUSTER", "COMMAND", "CONFIG", "DBSIZE", "DEBUG", "ECHO", "FLUSHALL", "FLUSHDB", "FUNCTION",
        "INFO", "KEYS", "LATENCY", "MEMORY", "PING", "PUBLISH", "ROLE", "SCAN", "SCRIPT", "SLOWLOG", "TIME", "WAIT",
    ]
}
