// Last handler of a connection that carries requests: tells the pipeline what happens on the wire, decides nothing.

import NIOCore

final class RequestHandler: ChannelInboundHandler {
    typealias InboundIn = [RESPValue]

    private let pipeline: RequestPipeline
    private var session: UInt64?

    init(pipeline: RequestPipeline) {
        self.pipeline = pipeline
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard event is ConnectionReady else { return context.fireUserInboundEventTriggered(event) }
        session = pipeline.connected(context.channel)
        if session == nil { context.close(promise: nil) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard let session else { return }
        pipeline.received(unwrapInboundIn(data), session: session)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { pipeline.flush() }
        context.fireChannelWritabilityChanged()
    }

    func channelInactive(context: ChannelHandlerContext) {
        lost(RedisError(.connectionClosed, "the server closed the connection"))
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        lost(error as? RedisError ?? RedisError(.connectionClosed, "the connection broke", cause: error))
        context.close(promise: nil)
    }

    private func lost(_ error: RedisError) {
        guard let session else { return }
        pipeline.connectionLost(error, session: session)
    }
}
