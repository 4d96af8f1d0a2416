// One question to one server, on a connection of its own: how Sentinels and cluster nodes are asked where things are.

import NIOCore
import Synchronization

enum Inquiry {
    /// Connects, sends one command, and closes; all within twice the connect timeout.
    ///
    /// Throws ``RedisError``: what ``Connector`` does, `server` for an error reply, `timeout`.
    static func ask(_ command: [String], _ connector: Connector) async throws(RedisError) -> RESPValue {
        let bytes = try CommandEncoder.encode(command)
        let limit = TimeAmount(connector.configuration.connectTimeout)
        let answer = connector.eventLoop.makePromise(of: RESPValue.self)
        let channel: any Channel
        do throws(RedisError) {
            channel = try await connector.connect { InquiryHandler(command: bytes, limit: limit, answer: answer) }
        } catch {
            // Whoever completes it first wins; without a connection no handler ever will.
            answer.fail(error)
            throw error
        }
        let outcome: Result<RESPValue, RedisError>
        do {
            outcome = .success(try await answer.futureResult.get())
        } catch {
            outcome = .failure(error as? RedisError ?? RedisError(.notConnected, "no answer", cause: error))
        }
        channel.close(promise: nil)
        let reply = try outcome.get()
        if case .error(let text) = reply { throw RedisError(.server, text) }
        return reply
    }
}

private final class InquiryHandler: ChannelInboundHandler {
    typealias InboundIn = [RESPValue]
    typealias OutboundOut = ByteBuffer

    private let command: ByteBuffer
    private let limit: TimeAmount
    private let answer: EventLoopPromise<RESPValue>
    private var timer: Scheduled<Void>?
    private var isAsking = false

    init(command: ByteBuffer, limit: TimeAmount, answer: EventLoopPromise<RESPValue>) {
        self.command = command
        self.limit = limit
        self.answer = answer
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard event is ConnectionReady else { return context.fireUserInboundEventTriggered(event) }
        isAsking = true
        context.writeAndFlush(wrapOutboundOut(command), promise: nil)
        timer = context.eventLoop.scheduleTask(in: limit) { [answer] in
            answer.fail(RedisError(.timeout, "no answer in time"))
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard let reply = unwrapInboundIn(data).first else { return }
        timer?.cancel()
        answer.succeed(reply)
    }

    func channelInactive(context: ChannelHandlerContext) {
        fail(RedisError(.connectionClosed, "the server closed the connection"))
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        fail(error as? RedisError ?? RedisError(.connectionClosed, "the connection broke", cause: error))
        context.close(promise: nil)
    }

    /// A socket that lost the race to connect must not end the question of the one that won.
    private func fail(_ error: RedisError) {
        guard isAsking else { return }
        timer?.cancel()
        answer.fail(error)
    }
}
