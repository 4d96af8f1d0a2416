// First handler of every connection: bytes in, batches of replies out. A batch is what one read completed and may be
// empty; that bytes arrived at all is news too, since silence is how a hung server is noticed.

import NIOCore

final class ReplyDecoder: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = [RESPValue]

    private let reader: ReplyReader
    private var isBroken = false

    init(limits: ReplyLimits = ReplyLimits()) {
        reader = ReplyReader(limits: limits)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isBroken else { return }
        let bytes = unwrapInboundIn(data)
        var replies: [RESPValue] = []
        let failure = bytes.withUnsafeReadableBytes { bytes -> RedisError? in
            do throws(RedisError) {
                try reader.feed(bytes, into: &replies)
                return nil
            } catch {
                return error
            }
        }
        context.fireChannelRead(wrapInboundOut(replies))
        guard let failure else { return }
        isBroken = true
        context.fireErrorCaught(failure)
        context.close(promise: nil)
    }
}
