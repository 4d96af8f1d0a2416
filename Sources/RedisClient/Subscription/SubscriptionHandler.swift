// Last handler of a connection that carries a subscription: subscribes, passes messages on, and notices silence.

import NIOCore

final class SubscriptionHandler: ChannelInboundHandler {
    typealias InboundIn = [RESPValue]
    typealias OutboundOut = ByteBuffer

    private let subscription: Subscription
    private var confirmed = 0
    private var heardSinceHeartbeat = true
    private var heartbeat: Scheduled<Void>?

    init(subscription: Subscription) {
        self.subscription = subscription
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard event is ConnectionReady else { return context.fireUserInboundEventTriggered(event) }
        guard subscription.opened(context.channel) else { return context.close(promise: nil) }
        write(["SUBSCRIBE"] + subscription.channels, context: context)
        scheduleHeartbeat(context: context)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        heardSinceHeartbeat = true
        for reply in unwrapInboundIn(data) { handle(reply, context: context) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        heartbeat?.cancel()
        subscription.failed(RedisError(.connectionClosed, "the server closed the connection"))
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        let failure = error as? RedisError ?? RedisError(.connectionClosed, "the connection broke", cause: error)
        fail(failure, context: context)
    }

    private func handle(_ reply: RESPValue, context: ChannelHandlerContext) {
        if case .error(let text) = reply { return fail(RedisError(.server, text), context: context) }
        guard let parts = reply.array, let kind = parts.first?.string else {
            return fail(RedisError(.protocolViolation, "unexpected reply to a subscription"), context: context)
        }
        switch kind {
        case "subscribe":
            confirmed += 1
            if confirmed == subscription.channels.count { subscription.push(.subscribed) }
        case "message":
            guard parts.count == 3, let channel = parts[1].string, case .bulk(let payload) = parts[2] else {
                return fail(RedisError(.protocolViolation, "a message without channel or payload"), context: context)
            }
            subscription.push(.message(channel: channel, payload: String(decoding: payload, as: UTF8.self)))
        default:
            break
        }
    }

    private func scheduleHeartbeat(context: ChannelHandlerContext) {
        let pause = TimeAmount(subscription.heartbeat)
        heartbeat = context.eventLoop.assumeIsolated().scheduleTask(in: pause) {
            guard self.heardSinceHeartbeat else {
                return self.fail(RedisError(.timeout, "the server has stopped answering"), context: context)
            }
            self.heardSinceHeartbeat = false
            self.write(["PING"], context: context)
            self.scheduleHeartbeat(context: context)
        }
    }

    private func write(_ command: [String], context: ChannelHandlerContext) {
        do throws(RedisError) {
            context.writeAndFlush(wrapOutboundOut(try CommandEncoder.encode(command)), promise: nil)
        } catch {
            fail(error, context: context)
        }
    }

    private func fail(_ error: RedisError, context: ChannelHandlerContext) {
        heartbeat?.cancel()
        subscription.failed(error)
        context.close(promise: nil)
    }
}
