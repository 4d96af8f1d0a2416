// A Lua script as the client runs it: by its hash, with its source only when the server doesn't know it.

import Crypto

/// A Lua script. Make it once and keep it: the hash is computed at creation.
package struct RedisScript: Sendable, Hashable {
    /// For logs and metrics.
    package let name: String
    package let source: String
    /// The hash under which `EVALSHA` knows the script, in lower-case hexadecimal.
    package let sha1: String

    package init(name: String, source: String) {
        self.name = name
        self.source = source
        // Redis names scripts by SHA-1; nothing here relies on its strength.
        let digits = Array("0123456789abcdef".utf8)
        let hex = Insecure.SHA1.hash(data: Array(source.utf8)).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
        sha1 = String(decoding: hex, as: UTF8.self)
    }
}
