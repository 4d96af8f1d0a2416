// hiredis' incremental parser behind a Swift interface: bytes in, owned values out, with limits on what a server may
// make us allocate. Only what is the same in hiredis 0.14 and 1.x is touched.

import CHiredis

/// The most that one reply may be.
struct ReplyLimits: Sendable {
    /// Bytes on the wire.
    var bytes = 64 << 20
    /// Elements of all its arrays together. An array is allocated when its header arrives, so without this limit a
    /// few bytes could claim gigabytes.
    var elements = 1 << 20
}

/// Parses one connection's replies. Not thread-safe; it lives on the connection's event loop.
final class ReplyReader {
    private let reader: UnsafeMutablePointer<redisReader>
    private let functions: UnsafeMutablePointer<redisReplyObjectFunctions>
    private let budget: UnsafeMutablePointer<ArrayBudget>
    private let limits: ReplyLimits
    private var bytesOfReply = 0

    init(limits: ReplyLimits = ReplyLimits()) {
        guard let reader = redisReaderCreate(), let defaults = reader.pointee.fn else {
            preconditionFailure("out of memory")
        }
        self.reader = reader
        self.limits = limits
        budget = .allocate(capacity: 1)
        budget.initialize(to: ArrayBudget(defaults: defaults.pointee, left: limits.elements))
        functions = .allocate(capacity: 1)
        functions.initialize(to: defaults.pointee)
        functions.pointee.createArray = { task, elements in
            guard let budget = task?.pointee.privdata?.assumingMemoryBound(to: ArrayBudget.self) else { return nil }
            // hiredis takes nil for "out of memory", frees what it has and reports an error.
            guard Int(elements) <= budget.pointee.left else { return nil }
            budget.pointee.left -= max(0, Int(elements))
            return budget.pointee.defaults.createArray?(task, elements)
        }
        reader.pointee.fn = functions
        reader.pointee.privdata = UnsafeMutableRawPointer(budget)
    }

    deinit {
        redisReaderFree(reader)
        functions.deallocate()
        budget.deinitialize(count: 1)
        budget.deallocate()
    }

    /// Takes bytes as they arrived and appends the replies they complete.
    ///
    /// Throws ``RedisError/Code/protocolViolation``; the replies before the offence have been appended, and the reader
    /// is of no use afterwards.
    func feed(_ bytes: UnsafeRawBufferPointer, into replies: inout [RESPValue]) throws(RedisError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            // Slices keep hiredis' buffer small: it moves the unread rest on every thousand bytes that it reads.
            let slice = UnsafeRawBufferPointer(rebasing: rest.prefix(16 << 10))
            rest = rest.dropFirst(slice.count)
            bytesOfReply += slice.count
            guard redisReaderFeed(reader, slice.bindMemory(to: CChar.self).baseAddress, slice.count) == REDIS_OK else {
                throw violation()
            }
            while let reply = try next() { replies.append(reply) }
            guard bytesOfReply <= limits.bytes else {
                throw RedisError(.protocolViolation, "a reply is larger than \(limits.bytes) bytes")
            }
        }
    }

    private func next() throws(RedisError) -> RESPValue? {
        var object: UnsafeMutableRawPointer?
        guard redisReaderGetReply(reader, &object) == REDIS_OK else { throw violation() }
        guard let object else { return nil }
        defer { freeReplyObject(object) }
        bytesOfReply = reader.pointee.len - reader.pointee.pos
        budget.pointee.left = limits.elements
        return RESPValue(copying: object.assumingMemoryBound(to: redisReply.self).pointee)
    }

    private func violation() -> RedisError {
        let text = withUnsafeBytes(of: reader.pointee.errstr) {
            String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
        }
        if reader.pointee.err == REDIS_ERR_OOM {
            return RedisError(.protocolViolation, "a reply has more than \(limits.elements) elements")
        }
        return RedisError(.protocolViolation, text)
    }
}

/// How many array elements the current reply may still claim, and how hiredis itself makes an array.
private struct ArrayBudget {
    let defaults: redisReplyObjectFunctions
    var left: Int
}

extension RESPValue {
    /// Copies a reply. The depth of the recursion is bounded by hiredis' limit on nesting.
    fileprivate init(copying reply: redisReply) {
        switch reply.type {
        case REDIS_REPLY_STRING:
            self = .bulk(Array(reply.bytes))
        case REDIS_REPLY_STATUS:
            self = .status(String(decoding: reply.bytes, as: UTF8.self))
        case REDIS_REPLY_ERROR:
            self = .error(String(decoding: reply.bytes, as: UTF8.self))
        case REDIS_REPLY_INTEGER:
            self = .integer(reply.integer)
        case REDIS_REPLY_ARRAY:
            let elements = UnsafeBufferPointer(start: reply.element, count: reply.elements)
            self = .array(elements.map { $0.map { RESPValue(copying: $0.pointee) } ?? .null })
        default:
            self = .null
        }
    }
}

extension redisReply {
    fileprivate var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: str, count: str == nil ? 0 : len) }
}
