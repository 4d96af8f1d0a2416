// Turns a command's words into the bytes on the wire, with hiredis.

import CHiredis
import NIOCore

enum CommandEncoder {
    /// A command as a RESP array of bulk strings.
    ///
    /// Throws ``RedisError/Code/protocolViolation`` when it is larger than `maxBytes`: Redis itself refuses a
    /// bulk string above 512 MiB, and nothing here comes near either.
    static func encode(_ arguments: [String], maxBytes: Int = 64 << 20) throws(RedisError) -> ByteBuffer {
        precondition(!arguments.isEmpty, "a command has at least its name")
        var bytes: [UInt8] = []
        var lengths: [Int] = []
        lengths.reserveCapacity(arguments.count)
        for argument in arguments {
            lengths.append(argument.utf8.count)
            bytes.append(contentsOf: argument.utf8)
        }
        guard bytes.count <= maxBytes else {
            throw RedisError(.protocolViolation, "a command of \(bytes.count) bytes is larger than \(maxBytes)")
        }
        var formatted: UnsafeMutablePointer<CChar>?
        let count = bytes.withUnsafeBytes { bytes in
            // An empty array may have no base address, but hiredis wants a valid pointer even for an empty word.
            withUnsafePointer(to: CChar(0)) { empty in
                var next = bytes.bindMemory(to: CChar.self).baseAddress ?? empty
                var words: [UnsafePointer<CChar>?] = []
                words.reserveCapacity(lengths.count)
                for length in lengths {
                    words.append(next)
                    next += length
                }
                return redisFormatCommandArgv(&formatted, CInt(lengths.count), &words, lengths)
            }
        }
        guard count > 0, let formatted else { throw RedisError(.protocolViolation, "the command can't be encoded") }
        defer { redisFreeCommand(formatted) }
        return ByteBuffer(bytes: UnsafeRawBufferPointer(start: formatted, count: Int(count)))
    }
}
